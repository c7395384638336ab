package org.qcowfs.it.session;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.qcowfs.it.kit.Await;
import org.qcowfs.it.kit.Command;
import org.qcowfs.it.kit.CommandResult;
import org.qcowfs.it.kit.MountedImage;
import org.qcowfs.it.kit.NeedsMounts;
import org.qcowfs.it.kit.Qcowfs;
import org.qcowfs.it.kit.SmallImage;
import org.qcowfs.it.kit.TestDirectory;

/** Whoever holds an image, ours or QEMU's, lets the same others in, whether ours or QEMU's. */
@NeedsMounts
final class LockMatrixTest {
  private static final String IMAGE = "IMAGE";

  private final Path directory = TestDirectory.create("matrix");
  private final Path image = SmallImage.create(directory.resolve("vm.qcow2"));
  private final Path mountpoint = createDirectory(directory.resolve("mnt"));

  private static Path createDirectory(Path path) {
    try {
      return Files.createDirectory(path);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What somebody does with an image. */
  enum Use {
    /** Reads whatever others do: everything goes on beside it. */
    PEEK,
    /** Reads, and wants it to stay as it is. */
    READ,
    /** Writes, and wants to be alone. */
    WRITE;

    boolean goesBeside(Use other) {
      return this == PEEK || other == PEEK || (this == READ && other == READ);
    }
  }

  enum Holder {
    MOUNT_RW(Use.WRITE),
    MOUNT_RO(Use.READ),
    MOUNT_FORCE_SHARE(Use.PEEK),
    QEMU_RW(Use.WRITE),
    QEMU_RO(Use.READ),
    CHECK(Use.READ),
    CHECK_PEEK(Use.PEEK),
    CHECK_REPAIR(Use.WRITE);

    private final Use use;

    Holder(Use use) {
      this.use = use;
    }
  }

  /** Programs of QEMU that come and go, and the words of their command lines. */
  @SuppressWarnings("ImmutableEnumChecker") // a list of words that is never changed
  private enum Qemu {
    IO_READ(Use.READ, "qemu-io", "-r", "-f", "qcow2", "-c", "read 0 512", IMAGE),
    IO_PEEK(Use.PEEK, "qemu-io", "-r", "-U", "-f", "qcow2", "-c", "read 0 512", IMAGE),
    IO_WRITE(Use.WRITE, "qemu-io", "-f", "qcow2", "-c", "write 0 512", IMAGE),
    INFO(Use.READ, "qemu-img", "info", "-f", "qcow2", IMAGE),
    INFO_PEEK(Use.PEEK, "qemu-img", "info", "-U", "-f", "qcow2", IMAGE),
    CHECK(Use.READ, "qemu-img", "check", "-f", "qcow2", IMAGE),
    CHECK_PEEK(Use.PEEK, "qemu-img", "check", "-U", "-f", "qcow2", IMAGE),
    CHECK_REPAIR(Use.WRITE, "qemu-img", "check", "-r", "all", "-f", "qcow2", IMAGE),
    CONVERT(Use.READ, "qemu-img", "convert", "-f", "qcow2", "-O", "raw", IMAGE, IMAGE + ".raw"),
    CONVERT_PEEK(
        Use.PEEK, "qemu-img", "convert", "-U", "-f", "qcow2", "-O", "raw", IMAGE, IMAGE + ".raw"),
    MAP(Use.READ, "qemu-img", "map", "-f", "qcow2", IMAGE),
    MAP_PEEK(Use.PEEK, "qemu-img", "map", "-U", "-f", "qcow2", IMAGE),
    RESIZE(Use.WRITE, "qemu-img", "resize", "-f", "qcow2", IMAGE, "1M"),
    AMEND(Use.WRITE, "qemu-img", "amend", "-f", "qcow2", "-o", "compat=1.1", IMAGE),
    SNAPSHOT_LIST(Use.READ, "qemu-img", "snapshot", "-l", IMAGE),
    SNAPSHOT_LIST_PEEK(Use.PEEK, "qemu-img", "snapshot", "-U", "-l", IMAGE),
    SNAPSHOT_CREATE(Use.WRITE, "qemu-img", "snapshot", "-c", "new", IMAGE);

    private final Use use;
    private final List<String> words;

    Qemu(Use use, String... words) {
      this.use = use;
      this.words = List.of(words);
    }

    Command on(Path image) {
      List<String> named =
          words.stream().map(word -> word.replace(IMAGE, image.toString())).toList();
      return Command.of(named.get(0)).with(named.subList(1, named.size()));
    }
  }

  /** Our commands that come and go, but for mounts. */
  @SuppressWarnings("ImmutableEnumChecker") // a list of words that is never changed
  private enum Ours {
    INFO(Use.READ, "info"),
    INFO_PEEK(Use.PEEK, "info", "-U"),
    MAP(Use.READ, "map"),
    CHECK(Use.READ, "check"),
    CHECK_PEEK(Use.PEEK, "check", "-U"),
    CHECK_REPAIR(Use.WRITE, "check", "-r", "all");

    private final Use use;
    private final List<String> words;

    Ours(Use use, String... words) {
      this.use = use;
      this.words = List.of(words);
    }

    Command on(Path image) {
      return Qcowfs.command().with(words).with(List.of(image));
    }

    /** How a refusal ends: with what this command can do beside the holder, in its own words. */
    String wayOut(Holder holder) {
      if (use == Use.WRITE) {
        return holder.use == Use.READ ? "stop it first, or check it without -r" : "stop it first";
      }
      return this == CHECK
          ? "or check it with --force-share: what changes meanwhile may look like damage"
          : "or read along at your own risk with --force-share";
    }
  }

  @AfterEach
  void delete() {
    TestDirectory.delete(directory);
  }

  @ParameterizedTest
  @EnumSource(Holder.class)
  void aHolderLetsInWhoDoesNotDisturbIt(Holder holder) throws Exception {
    SoftAssertions all = new SoftAssertions();
    try (AutoCloseable held = hold(holder)) {
      all.assertThat(held).isNotNull();
      for (Qemu program : Qemu.values()) {
        CommandResult result = program.on(image).run();
        assertGoes(all, holder, program.name(), program.use, result, "lock");
      }
      assertDaemonGoes(all, holder, Use.READ);
      assertDaemonGoes(all, holder, Use.WRITE);
      assertMountGoes(all, holder, Use.PEEK, "ro", "force_share");
      assertMountGoes(all, holder, Use.READ, "ro");
      assertMountGoes(all, holder, Use.WRITE, "rw");
      for (Ours command : Ours.values()) {
        CommandResult result = command.on(image).run();
        String refusal = command.wayOut(holder) + "\n";
        assertGoes(all, holder, "our " + command, command.use, result, refusal);
      }
    }
    all.assertAll();
    Qemu.IO_WRITE.on(image).run().succeeded(); // nobody holds it any more
  }

  private AutoCloseable hold(Holder holder) {
    return switch (holder) {
      case MOUNT_RW -> MountedImage.mount(image, "rw");
      case MOUNT_RO -> MountedImage.mount(image, "ro");
      case MOUNT_FORCE_SHARE -> MountedImage.mount(image, "ro", "force_share");
      case QEMU_RW -> daemon("holder", Use.WRITE);
      case QEMU_RO -> daemon("holder", Use.READ);
      case CHECK -> HeldCommand.hold(image, "check");
      case CHECK_PEEK -> HeldCommand.hold(image, "check", "-U");
      case CHECK_REPAIR -> HeldCommand.hold(image, "check", "-r", "all");
    };
  }

  private static void assertGoes(
      SoftAssertions all,
      Holder holder,
      String visitor,
      Use use,
      CommandResult result,
      String refusal) {
    boolean goes = use.goesBeside(holder.use);
    all.assertThat(result.exitCode() == 0)
        .as("%s beside %s: %s", visitor, holder, result)
        .isEqualTo(goes);
    if (!goes) {
      all.assertThat(result.stderr()).as("%s beside %s", visitor, holder).contains(refusal);
    }
  }

  private void assertMountGoes(SoftAssertions all, Holder holder, Use use, String... options) {
    CommandResult result = Qcowfs.mountCommand(image, mountpoint, options).run();
    if (result.exitCode() == 0) {
      Qcowfs.run("umount", mountpoint).succeeded();
    }
    String visitor = "our mount " + String.join(",", options);
    String wayOut =
        switch (use) {
          case WRITE -> holder.use == Use.READ ? "or read along with -o ro" : "stop it first";
          default -> "or read along at your own risk with -o ro,force_share";
        };
    assertGoes(all, holder, visitor, use, result, wayOut + "\n");
  }

  private void assertDaemonGoes(SoftAssertions all, Holder holder, Use use) throws Exception {
    try (Daemon daemon = daemon("visitor", use)) {
      all.assertThat(daemon.runs())
          .as("a qemu-storage-daemon to %s beside %s", use, holder)
          .isEqualTo(use.goesBeside(holder.use));
    }
  }

  /** QEMU's daemon, which has an image open as a virtual machine has, unless that is refused. */
  private record Daemon(Process process, List<Path> leaves) implements AutoCloseable {
    boolean runs() {
      return process.isAlive();
    }

    @Override
    public void close() throws IOException {
      process.destroy();
      Command.awaitEnd(process.toHandle());
      for (Path path : leaves) {
        Files.deleteIfExists(path);
      }
    }
  }

  private Daemon daemon(String name, Use use) {
    String readOnly = use == Use.WRITE ? "off" : "on";
    Path ready = directory.resolve(name + ".pid");
    Path socket = directory.resolve(name + ".nbd");
    List<Object> words = new ArrayList<>();
    words.addAll(List.of("--blockdev", "driver=file,node-name=f,filename=" + image));
    words.addAll(List.of("--blockdev", "driver=qcow2,node-name=q,file=f,read-only=" + readOnly));
    words.addAll(List.of("--nbd-server", "addr.type=unix,addr.path=" + socket));
    String writable = use == Use.WRITE ? "on" : "off";
    words.addAll(List.of("--export", "type=nbd,id=e,node-name=q,writable=" + writable));
    words.addAll(List.of("--pidfile", ready));
    Process process =
        Command.of("qemu-storage-daemon")
            .with(words)
            .start(directory.resolve(name + ".out"), directory.resolve(name + ".err"));
    Await.until("the daemon", () -> Files.exists(ready) || !process.isAlive());
    return new Daemon(process, List.of(ready, socket));
  }
}
