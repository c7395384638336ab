package org.qcowfs.fuse.wire;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;

final class NegotiationTest {
  private static final int ASYNC_READ = 1;
  private static final int ASYNC_DIO = 1 << 15;
  private static final int WRITEBACK_CACHE = 1 << 16;
  private static final int PARALLEL_DIROPS = 1 << 18;
  private static final int MAX_PAGES = 1 << 22;
  private static final int HANDLE_KILLPRIV_V2 = 1 << 28;
  private static final int ALL = -1;

  private static ByteBuffer init(int major, int minor, int flags) {
    return ByteBuffer.allocate(104)
        .order(ByteOrder.nativeOrder())
        .putInt(40, major)
        .putInt(44, minor)
        .putInt(48, 131_072)
        .putInt(52, flags);
  }

  /** As libfuse 2.9 answers. */
  private static ByteBuffer libfuses() {
    ByteBuffer reply = ByteBuffer.allocate(80).order(ByteOrder.nativeOrder());
    for (int i = 0; i < reply.capacity(); i++) {
      reply.put(i, (byte) 0x5a);
    }
    return reply
        .putInt(16, 7)
        .putInt(20, 19)
        .putInt(24, 131_072)
        .putInt(28, ASYNC_READ)
        .putInt(32, 0)
        .putInt(36, 65_536)
        .position(16);
  }

  @Test
  void theAnswerAsksForLongAndParallelRequestsAndKeepsWhatLibfuseWants() {
    ByteBuffer request = init(7, 45, ALL);
    ByteBuffer reply = libfuses();

    Negotiation.of(request).widen(request, reply);

    assertThat(reply.getInt(16)).isEqualTo(7);
    assertThat(reply.getInt(20)).as("minor version").isEqualTo(39);
    assertThat(reply.getInt(24)).as("max_readahead").isEqualTo(131_072);
    assertThat(reply.getInt(28))
        .as("flags")
        .isEqualTo(ASYNC_READ | ASYNC_DIO | PARALLEL_DIROPS | MAX_PAGES | HANDLE_KILLPRIV_V2);
    assertThat(reply.getInt(28) & WRITEBACK_CACHE).isZero();
    assertThat(reply.getInt(36)).as("max_write").isEqualTo(1 << 20);
    assertThat(reply.getShort(44)).as("max_pages").isEqualTo((short) 256);
    for (int i = 46; i < 80; i++) {
      assertThat(reply.get(i)).as("byte %d", i).isZero();
    }
  }

  @Test
  void nothingIsAcceptedThatTheKernelDoesNotOffer() {
    ByteBuffer request = init(7, 31, MAX_PAGES | ASYNC_READ);
    ByteBuffer reply = libfuses();

    Negotiation.of(request).widen(request, reply);

    assertThat(reply.getInt(28)).isEqualTo(ASYNC_READ | MAX_PAGES);
    assertThat(reply.getInt(20)).isEqualTo(31);
  }

  @Test
  void aKernelThatKnowsNoLongRequestsIsLeftToLibfuse() {
    assertThat(Negotiation.of(init(7, 27, ALL & ~MAX_PAGES))).isEqualTo(Negotiation.NONE);
    assertThat(Negotiation.of(init(8, 0, ALL))).isEqualTo(Negotiation.NONE);
    assertThat(Negotiation.NONE.longRequests()).isFalse();
    assertThat(Negotiation.NONE.parallelWrites()).isFalse();
  }

  @Test
  void writesRunSideBySideOnlyWhereTheKernelForgetsWhatItHasCachedOfThem() {
    assertThat(Negotiation.of(init(7, 38, ALL)).parallelWrites()).isFalse();
    assertThat(Negotiation.of(init(7, 39, ALL)).parallelWrites()).isTrue();
    assertThat(Negotiation.of(init(7, 45, ALL)).parallelWrites()).isTrue();
  }
}
