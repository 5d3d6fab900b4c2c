/*
 * json_shape.h - texts that look like one seen before, read by comparing instead of parsing.
 *
 * The records of a topic mostly have the same keys in the same order, and many values that never change. A
 * shape is such a text, whole, with the places of the values in it:
 *
 *     {"before":null,"after":{"id":1001,"status":"new"},"source":{"db":"app","lsn":24023128},"op":"c"}
 *                                  ^^^^          ^^^^^                         ^^^^^^^^           vary
 *
 * A text matches when everything between the values that vary is the same, byte for byte, and each of those is
 * a value: then it is JSON just as the shape was, and each key leads to where it led there. A value is taken
 * to be constant until a text has another; then its digits may be any digits and its letters any letters, as long
 * as that keeps it a value of its length; then it varies. Values that are wanted vary from the start. A text that
 * does not match is scanned in full and may become a shape itself. So a shape changes how fast a text is read,
 * never what is found in it.
 *
 * Limits: 16 shapes a scan, texts up to 32 KiB, 1024 values; the rest is scanned in full.
 */
#ifndef WR_JSON_SHAPE_H
#define WR_JSON_SHAPE_H

#include "data/json_scan_parts.h"

/* No shapes yet. NULL when out of memory. Free with wr_json_shapes_free(). */
struct wr_json_shapes *wr_json_shapes_new(void);

/* Free. Takes NULL. */
void wr_json_shapes_free(struct wr_json_shapes *shapes);

/* Read the walk's text by the shape that it has, if it has one: sets and stamps the nodes just as a scan in
 * full would. False when it has none, or is not JSON; nodes may be stamped then, for nothing. */
bool wr_json_shapes_match(struct wr_json_shapes *shapes, struct wr_json_walk *walk);

/* A text that matched nothing was scanned in full and is JSON: perhaps keep its shape. */
void wr_json_shapes_learn(struct wr_json_shapes *shapes, struct wr_json_scan *scan,
                          struct wr_bytes in);

#endif
