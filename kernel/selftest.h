/* Command line option selftest=NAME: triggers one ring 0 failure on purpose, so that its report can be looked
 * at. docs/selftest.md. */
#pragma once

/* Returns if there is no such option; logs an unknown name. */
void selftest_run(void);
