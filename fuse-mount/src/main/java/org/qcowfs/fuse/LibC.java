package org.qcowfs.fuse;

/** The C library, as far as a daemon needs it. Public because jnr-ffi implements it. */
public interface LibC {
  int open(String path, int flags, int mode);

  int close(int fd);

  int dup(int fd);

  int dup2(int from, int to);

  int chdir(String path);

  int memfd_create(String name, int flags);
}
