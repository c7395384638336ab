package org.qcowfs.tree;

/** An entry of the mounted tree. Immutable in kind and place; thread-safe. */
public sealed interface Node permits DirectoryNode, FileNode {}
