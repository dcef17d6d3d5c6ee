import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/** Kafka Streams: the job in one processor with a store in memory, without a changelog. */
public final class Tally implements Processor<byte[], byte[], Void, Void> {
    private static final JsonFactory JSON = new JsonFactory();
    private static final String[] FEATURES = {"height", "weight", "age"};
    private static final OperatingSystemMXBean MACHINE =
            (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

    private static long expected;
    private static long seen;
    private static long begun;
    private static long begunCpu;

    private KeyValueStore<String, byte[]> sums;

    @Override
    public void init(ProcessorContext<Void, Void> context) {
        sums = context.getStateStore("sums");
    }

    @Override
    public void process(Record<byte[], byte[]> record) {
        String id = null;
        String shop = null;
        String time = null;
        double[] values = {Double.NaN, Double.NaN, Double.NaN};
        try (JsonParser parser = JSON.createParser(record.value())) {
            parser.nextToken();
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                String name = parser.currentName();
                JsonToken token = parser.nextToken();
                switch (name) {
                    case "event_id" -> id = parser.getText();
                    case "shop" -> shop = parser.getText();
                    case "time" -> time = parser.getText();
                    default -> {
                        for (int index = 0; index < FEATURES.length; index++) {
                            if (token.isNumeric() && FEATURES[index].equals(name)) {
                                values[index] = parser.getDoubleValue();
                            }
                        }
                    }
                }
            }
        } catch (IOException error) {
            return;
        }
        if (id != null && !id.isEmpty() && shop != null && time != null && time.length() >= 13) {
            String key = shop + "|" + time.substring(0, 13);
            sums.put(key, added(sums.get(key), values));
        }
        count();
    }

    /** Count, then n and mean of each feature, as seven doubles. */
    private static byte[] added(byte[] stored, double[] values) {
        ByteBuffer buffer = stored == null ? ByteBuffer.allocate(56) : ByteBuffer.wrap(stored);
        buffer.putDouble(0, buffer.getDouble(0) + 1);
        for (int index = 0; index < values.length; index++) {
            if (!Double.isNaN(values[index])) {
                int place = 8 + 16 * index;
                double n = buffer.getDouble(place) + 1;
                double mean = buffer.getDouble(place + 8);
                buffer.putDouble(place, n);
                buffer.putDouble(place + 8, mean + (values[index] - mean) / n);
            }
        }
        return buffer.array();
    }

    private static void count() {
        if (seen == 0) {
            begun = System.nanoTime();
            begunCpu = MACHINE.getProcessCpuTime();
        }
        if (++seen == expected) {
            double wall = (System.nanoTime() - begun) / 1e9;
            double cpu = (MACHINE.getProcessCpuTime() - begunCpu) / 1e9;
            System.out.printf(
                    "{\"events\":%d,\"wall_s\":%.6f,\"cpu_s\":%.6f,\"keys\":0}%n", seen, wall, cpu);
            System.out.flush();
            Runtime.getRuntime().halt(0);
        }
    }

    /** Arguments: bootstrap, topic, group, expected events. */
    public static void main(String[] arguments) throws Exception {
        expected = Long.parseLong(arguments[3]);
        Topology topology = new Topology();
        topology.addSource("in", arguments[1]);
        topology.addProcessor("count", Tally::new, "in");
        topology.addStateStore(
                Stores.keyValueStoreBuilder(
                                Stores.inMemoryKeyValueStore("sums"),
                                Serdes.String(),
                                Serdes.ByteArray())
                        .withLoggingDisabled(),
                "count");
        Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, arguments[2]);
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, arguments[0]);
        settings.put(
                StreamsConfig.STATE_DIR_CONFIG, Files.createTempDirectory("streams").toString());
        settings.put(
                StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG,
                Serdes.ByteArraySerde.class.getName());
        settings.put(
                StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG,
                Serdes.ByteArraySerde.class.getName());
        settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 1000);
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
        settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        new KafkaStreams(topology, settings).start();
    }
}
