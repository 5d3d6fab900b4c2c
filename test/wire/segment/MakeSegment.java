/* Makes a topic of one partition with plain records and with transactions that overlap, commit and abort;
 * README.md says how to run it. */

import java.util.Collections;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;

public class MakeSegment {
    static String bootstrap;

    static KafkaProducer<String, String> producer(String transaction) {
        Properties p = new Properties();
        p.put("bootstrap.servers", bootstrap);
        p.put("key.serializer", StringSerializer.class.getName());
        p.put("value.serializer", StringSerializer.class.getName());
        if (transaction != null) {
            p.put("transactional.id", transaction);
        }
        KafkaProducer<String, String> producer = new KafkaProducer<>(p);
        if (transaction != null) {
            producer.initTransactions();
        }
        return producer;
    }

    static int sent = 0;

    static void send(KafkaProducer<String, String> producer) throws Exception {
        long time = 1710500000000L + (sent % 7 == 3 ? 500 : sent); // not always ascending
        producer.send(new ProducerRecord<>("made", 0, time, "key-" + sent, "x".repeat(40))).get();
        sent++;
    }

    public static void main(String[] args) throws Exception {
        bootstrap = args[0];
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            NewTopic topic = new NewTopic("made", 1, (short) 1);
            topic.configs(Map.of("index.interval.bytes", "300", "message.timestamp.after.max.ms", "9000000000000"));
            admin.createTopics(Collections.singleton(topic)).all().get();
        }
        KafkaProducer<String, String> plain = producer(null);
        KafkaProducer<String, String> a = producer("a");
        KafkaProducer<String, String> b = producer("b");
        for (int i = 0; i < 20; i++) send(plain);
        for (int round = 0; round < 4; round++) {
            a.beginTransaction();
            send(a);
            b.beginTransaction();
            send(b);
            send(plain);
            send(a);
            if (round % 2 == 0) a.abortTransaction(); else a.commitTransaction();
            send(b);
            if (round < 3) b.abortTransaction(); else b.commitTransaction();
            for (int i = 0; i < 5; i++) send(plain);
        }
        plain.close();
        a.close();
        b.close();
    }
}
