/* Writes the record batches of this folder with Kafka's own code; README.md says how to run it. */

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.message.LeaderChangeMessage;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.*;
import org.apache.kafka.common.utils.BufferSupplier;

public class MakeBatches {
    static Path into;

    static byte[] text(String s) {
        return s == null ? null : s.getBytes(StandardCharsets.UTF_8);
    }

    static void save(String name, ByteBuffer buffer) throws Exception {
        byte[] bytes = new byte[buffer.remaining()];
        buffer.duplicate().get(bytes);
        Files.write(into.resolve(name + ".bin"), bytes);
    }

    static MemoryRecordsBuilder builder(Compression codec, TimestampType times, boolean transactional) {
        long producer = transactional ? 4711 : -1;
        return new MemoryRecordsBuilder(ByteBuffer.allocate(1 << 20), (byte) 2, codec, times, 1000L,
                times == TimestampType.LOG_APPEND_TIME ? 1710500009999L : -1L, producer,
                (short) (transactional ? 3 : -1), transactional ? 17 : -1, transactional, false, 5, 1 << 20);
    }

    /* The five records that the tests know. */
    static void five(MemoryRecordsBuilder b) {
        Header[] two = {new RecordHeader("trace", text("abc")), new RecordHeader("trace", null)};
        b.append(1710500000000L, text("order-1"), text("{\"amount\": 29.99}"));
        b.append(1710500000005L, null, text("no key"));
        b.append(1710499999990L, text("order-1"), null);
        b.append(1710500000007L, text(""), text(""), two);
        b.append(1710500000007L, text("größe"), text("x".repeat(300)),
                new Header[] {new RecordHeader("", text(""))});
    }

    /* 300 records of 1000 bytes: several blocks in each codec. */
    static void many(MemoryRecordsBuilder b) {
        for (int i = 0; i < 300; i++) {
            char letter = (char) ('a' + i % 26);
            b.append(1710500000000L + i, text("key-" + i), text(String.valueOf(letter).repeat(1000)));
        }
    }

    static void codecs() throws Exception {
        Compression[] all = {Compression.NONE, Compression.gzip().build(), Compression.snappy().build(),
            Compression.lz4().build(), Compression.zstd().build()};
        for (Compression codec : all) {
            MemoryRecordsBuilder b = builder(codec, TimestampType.CREATE_TIME, false);
            five(b);
            save("five-" + codec.type().name, b.build().buffer());
            if (codec.type() != CompressionType.NONE) {
                b = builder(codec, TimestampType.CREATE_TIME, false);
                many(b);
                save("many-" + codec.type().name, b.build().buffer());
            }
        }
    }

    static void flags() throws Exception {
        MemoryRecordsBuilder b = builder(Compression.NONE, TimestampType.LOG_APPEND_TIME, false);
        five(b);
        save("append-time", b.build().buffer());
        b = builder(Compression.NONE, TimestampType.CREATE_TIME, true);
        five(b);
        save("transactional", b.build().buffer());
        save("commit", MemoryRecords.withEndTransactionMarker(1005L, 1710500000100L, 5, 4711L, (short) 3,
                new EndTransactionMarker(ControlRecordType.COMMIT, 9)).buffer());
        save("abort", MemoryRecords.withEndTransactionMarker(1005L, 1710500000100L, 5, 4711L, (short) 3,
                new EndTransactionMarker(ControlRecordType.ABORT, 9)).buffer());
        save("leader-change", MemoryRecords.withLeaderChangeMessage(1005L, 1710500000100L, 5,
                ByteBuffer.allocate(512), new LeaderChangeMessage().setLeaderId(1)).buffer());
    }

    /* What Kafka's cleaner leaves: records 1 and 3 gone and a delete horizon, and a batch with none left. */
    static void compacted() throws Exception {
        MemoryRecordsBuilder b = builder(Compression.NONE, TimestampType.CREATE_TIME, true);
        five(b);
        MemoryRecords.RecordFilter filter = new MemoryRecords.RecordFilter(0L, 86400000L) {
            protected BatchRetentionResult checkBatchRetention(RecordBatch batch) {
                return new BatchRetentionResult(BatchRetention.RETAIN_EMPTY, false);
            }
            protected boolean shouldRetainRecord(RecordBatch batch, org.apache.kafka.common.record.internal.Record record) {
                return record.offset() != 1001 && record.offset() != 1003;
            }
        };
        ByteBuffer out = ByteBuffer.allocate(1 << 16);
        b.build().filterTo(filter, out, BufferSupplier.NO_CACHING);
        out.flip();
        save("compacted", out);
        ByteBuffer empty = ByteBuffer.allocate(61);
        DefaultRecordBatch.writeEmptyHeader(empty, (byte) 2, 4711L, (short) 3, 17, 1000L, 1004L, 5,
                TimestampType.CREATE_TIME, 1710500000007L, true, false);
        empty.flip();
        save("empty", empty);
        ByteBuffer plain = ByteBuffer.allocate(61);
        DefaultRecordBatch.writeEmptyHeader(plain, (byte) 2, -1L, (short) -1, -1, 1000L, 1004L, 5,
                TimestampType.CREATE_TIME, -1L, false, false);
        plain.flip();
        save("empty-plain", plain);
    }

    public static void main(String[] args) throws Exception {
        into = Path.of(args[0]);
        codecs();
        flags();
        compacted();
    }
}
