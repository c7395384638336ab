package org.qcowfs.it.kit;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * A test class that mounts. Where that is impossible, its tests are skipped with the reason; in a
 * CI run ({@code CI=true}) they fail instead, since nobody reads there what was skipped.
 */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(MountRequirements.class)
public @interface NeedsMounts {}
