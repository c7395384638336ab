package org.qcowfs.mapping;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class ClusterClaimsTest {
  private final ClusterClaims claims = new ClusterClaims();

  @Test
  void rangesThatTouchButDoNotOverlapAreClaimedAtOnce() {
    ClusterClaims.Claim first = claims.claim(0, 4096);
    ClusterClaims.Claim second = claims.claim(4096, 8192);

    first.release();
    second.release();
  }

  @Test
  void whoOverlapsWaitsForEveryClaimInTheWay() throws Exception {
    ClusterClaims.Claim first = claims.claim(0, 4096);
    ClusterClaims.Claim second = claims.claim(8192, 12288);
    Waiting<ClusterClaims.Claim> waiting = Waiting.start(() -> claims.claim(2048, 9000));

    first.release();
    assertThat(waiting.isWaiting()).isTrue();
    second.release();

    waiting.result().release();
    claims.claim(0, 12288).release();
  }

  @Test
  void anInterruptIsKeptForLaterAndTheClaimIsStillWaitedFor() throws Exception {
    ClusterClaims.Claim first = claims.claim(0, 4096);
    Waiting<Boolean> waiting =
        Waiting.start(
            () -> {
              claims.claim(0, 4096).release();
              return Thread.currentThread().isInterrupted();
            });

    waiting.thread().interrupt();
    first.release();

    assertThat(waiting.result()).isTrue();
  }
}
