package org.qcowfs.fuse;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.qcowfs.errno.Errno;
import org.qcowfs.error.HostIoException;
import org.qcowfs.fuse.wire.FuseDevice;
import org.qcowfs.fuse.wire.Negotiation;
import org.qcowfs.fuse.wire.Opcode;
import org.qcowfs.fuse.wire.RequestBuffer;
import org.qcowfs.tree.OpenFile;

/** Requests as the kernel makes them; the answers go to a file, in place of the FUSE device. */
final class DirectRequestsTest {
  private static final int O_RDWR_CREAT_TRUNC = 0x242;
  private static final int O_DSYNC = 0x1000;
  private static final long UNIQUE = 0x1234_5678_9abc_def0L;
  private static final int SEEK_DATA = 3;
  private static final int SEEK_HOLE = 4;

  @TempDir private Path directory = Path.of("");
  private Path answers = Path.of("");
  private int fd;
  private @Nullable RequestBuffer buffer;
  private @Nullable DirectRequests requests;
  private final OpenFiles files = new OpenFiles();
  private final SmallFile file = new SmallFile();

  /** Ten bytes: 0 to 4 are data, the others a hole. */
  private static final class SmallFile implements OpenFile {
    final byte[] bytes = {1, 2, 3, 4, 5, 0, 0, 0, 0, 0};
    @Nullable Throwable failure;
    int flushes;
    String allocated = "";

    @Override
    public long size() {
      return 10;
    }

    @Override
    public long nextData(long offset) {
      return offset < 5 ? offset : -1;
    }

    @Override
    public long nextHole(long offset) {
      return offset < 10 ? Math.max(5, offset) : -1;
    }

    private void fail() throws IOException {
      if (failure instanceof IOException e) {
        throw e;
      }
      if (failure instanceof Error e) {
        throw e;
      }
    }

    @Override
    public int read(ByteBuffer destination, long offset) throws IOException {
      fail();
      int count = (int) Math.max(0, Math.min(10 - offset, destination.remaining()));
      for (int i = 0; i < count; i++) {
        destination.put(bytes[(int) offset + i]);
      }
      return count;
    }

    @Override
    public int write(ByteBuffer data, long offset) throws IOException {
      fail();
      int count = (int) Math.max(0, Math.min(10 - offset, data.remaining()));
      data.get(bytes, (int) Math.min(10, offset), count);
      return count;
    }

    @Override
    public void allocate(long offset, long length, boolean keepSize) {
      allocated = offset + "+" + length + (keepSize ? " keep" : "");
    }

    @Override
    public void flush() {
      flushes++;
    }

    @Override
    public void close() {
      // Nothing is held.
    }
  }

  @BeforeEach
  void open() {
    answers = directory.resolve("answers");
    fd = LibC.open(answers.toString(), O_RDWR_CREAT_TRUNC, 0600);
    use(fd);
  }

  private void use(int device) {
    FuseDevice fuse = new FuseDevice(device);
    buffer = new RequestBuffer(fuse);
    DirectRequests.Shared shared =
        new DirectRequests.Shared(
            new LibFuse2(),
            0,
            0,
            fuse,
            new AtomicReference<>(new Negotiation(39, true)),
            new HeldBytes(fuse),
            files,
            new CallbackRunner(false));
    requests = new DirectRequests(shared, buffer);
  }

  @AfterEach
  void close() {
    requests.close();
    LibC.close(fd);
  }

  private long handle(boolean bypassesCache) {
    return files.add(new OpenHandle(file, "/disk.raw", true, bypassesCache));
  }

  private void request(int opcode, int length, long handle, long offset, long third) {
    ByteBuffer request = buffer.request();
    for (int i = 0; i < 80; i++) {
      request.put(i, (byte) 0);
    }
    request.putInt(0, length).putInt(4, opcode).putLong(8, UNIQUE).putLong(16, 1);
    request.putLong(40, handle).putLong(48, offset).putLong(56, third);
  }

  /** What was answered: error, then the bytes behind the header. */
  private ByteBuffer answer(int length) throws IOException {
    requests.process(length);
    byte[] all = Files.readAllBytes(answers);
    ByteBuffer answer = ByteBuffer.wrap(all).order(ByteOrder.nativeOrder());
    assertThat(answer.getInt(0)).as("length").isEqualTo(all.length);
    assertThat(answer.getLong(8)).as("unique").isEqualTo(UNIQUE);
    return answer;
  }

  private int error(int length) throws IOException {
    ByteBuffer answer = answer(length);
    assertThat(answer.capacity()).isEqualTo(16);
    return answer.getInt(4);
  }

  @Test
  void aReadEndsWithTheFile() throws Exception {
    request(Opcode.READ, 80, handle(false), 3, 4096);

    ByteBuffer answer = answer(80);

    assertThat(answer.getInt(4)).isZero();
    byte[] data = new byte[answer.capacity() - 16];
    answer.get(16, data);
    assertThat(data).containsExactly(4, 5, 0, 0, 0, 0, 0);
  }

  @Test
  void aReadBehindTheEndIsEmpty() throws Exception {
    request(Opcode.READ, 80, handle(false), 10, 4096);

    assertThat(error(80)).isZero();
  }

  @Test
  void aWriteIsAnsweredWithItsLength() throws Exception {
    request(Opcode.WRITE, 84, handle(false), 8, 4);
    buffer.data(4).putInt(0x0706_0504);

    ByteBuffer answer = answer(84);

    assertThat(answer.capacity()).isEqualTo(24);
    assertThat(answer.getInt(16)).isEqualTo(2);
    assertThat(answer.getInt(20)).isZero();
    assertThat(file.bytes).endsWith(0, 4, 5);
    assertThat(file.flushes).isZero();
  }

  @Test
  void aSynchronousWritePastTheCacheIsFlushedFirst() throws Exception {
    request(Opcode.WRITE, 84, handle(true), 0, 4);
    buffer.request().putInt(72, O_DSYNC);

    assertThat(answer(84).getInt(16)).isEqualTo(4);
    assertThat(file.flushes).isOne();
  }

  @Test
  void aWriteThatIsNotAsLongAsItSaysIsRefused() throws Exception {
    request(Opcode.WRITE, 84, handle(false), 0, 5);
    assertThat(error(84)).isEqualTo(-Errno.EINVAL);
    assertThat(file.bytes[0]).isEqualTo((byte) 1);
  }

  @Test
  void aReadOfMoreThanWasAgreedOnIsRefused() throws Exception {
    request(Opcode.READ, 80, handle(false), 0, 0xffff_ffffL);
    assertThat(error(80)).isEqualTo(-Errno.EINVAL);
  }

  @Test
  void aRequestThatEndsTooEarlyIsRefused() throws Exception {
    request(Opcode.READ, 64, handle(false), 0, 4);
    assertThat(error(64)).isEqualTo(-Errno.EINVAL);
  }

  @Test
  void aFileThatIsNotOpenIsABadDescriptor() throws Exception {
    request(Opcode.READ, 80, handle(false) + 1, 0, 4);
    assertThat(error(80)).isEqualTo(-Errno.EBADF);
  }

  @Test
  void whateverIsThrownBecomesItsErrorNumber() throws Exception {
    file.failure = new HostIoException(Errno.ENOSPC, "full");
    request(Opcode.WRITE, 84, handle(false), 0, 4);
    assertThat(error(84)).isEqualTo(-Errno.ENOSPC);
  }

  @Test
  void alsoAnErrorOfTheMachineIsAnswered() throws Exception {
    file.failure = new StackOverflowError();
    request(Opcode.READ, 80, handle(false), 0, 4);
    assertThat(error(80)).isEqualTo(-Errno.EIO);
  }

  @Test
  void aSearchIsAnsweredWithAnOffset() throws Exception {
    request(Opcode.LSEEK, 64, handle(false), 1, SEEK_HOLE);
    assertThat(answer(64).getLong(16)).isEqualTo(5);
  }

  @Test
  void aSearchThatFindsNothingIsENXIO() throws Exception {
    request(Opcode.LSEEK, 64, handle(false), 5, SEEK_DATA);
    assertThat(error(64)).isEqualTo(-Errno.ENXIO);
  }

  @Test
  void aSearchBeforeTheBeginningIsENXIO() throws Exception {
    request(Opcode.LSEEK, 64, handle(false), -1, SEEK_DATA);
    assertThat(error(64)).isEqualTo(-Errno.ENXIO);
  }

  @Test
  void otherSearchesAreRefused() throws Exception {
    request(Opcode.LSEEK, 64, handle(false), 0, 2);
    assertThat(error(64)).isEqualTo(-Errno.EINVAL);
  }

  @Test
  void aRangeIsAllocatedAsItsModeSays() throws Exception {
    request(Opcode.FALLOCATE, 72, handle(false), 4096, 512);
    buffer.request().putInt(64, 1);
    assertThat(error(72)).isZero();
    assertThat(file.allocated).isEqualTo("4096+512 keep");
  }

  @Test
  void anInterruptHasNoAnswer() throws Exception {
    request(Opcode.INTERRUPT, 48, UNIQUE - 2, 0, 0);

    requests.process(48);

    assertThat(answers).isEmptyFile();
  }

  /** What a request takes must not grow with their number: a collector would stop all of them. */
  @Test
  void readsWritesAndSearchesTakeNoMemory() {
    int devNull = LibC.open("/dev/null", 2, 0);
    use(devNull);
    long number = handle(false);
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long thread = Thread.currentThread().getId();
    int rounds = 20_000;
    run(rounds, number); // until everything is compiled
    long before = threads.getThreadAllocatedBytes(thread);

    run(rounds, number);

    long bytes = threads.getThreadAllocatedBytes(thread) - before;
    assertThat(bytes).as("bytes for %d requests", 3 * rounds).isLessThan(rounds);
    LibC.close(devNull);
  }

  private void run(int rounds, long number) {
    for (int i = 0; i < rounds; i++) {
      request(Opcode.READ, 80, number, 0, 8);
      requests.process(80);
      request(Opcode.WRITE, 88, number, 0, 8);
      requests.process(88);
      request(Opcode.LSEEK, 64, number, 0, SEEK_HOLE);
      requests.process(64);
    }
  }
}
