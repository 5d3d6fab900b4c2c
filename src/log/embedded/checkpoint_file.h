/* checkpoint_file.h - the bytes of a checkpoint, written. Their format is in checkpoint.h. */
#ifndef WR_EMBEDDED_CHECKPOINT_FILE_H
#define WR_EMBEDDED_CHECKPOINT_FILE_H

#include "log/embedded/state.h"

/* Everything as it is between two rounds. L. The caller asks wr_writer_end(). */
void wr_checkpoint_encode(const struct wr_embedded *e, bool is_clean, struct wr_writer *w);

#endif
