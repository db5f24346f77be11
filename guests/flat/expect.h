/* Answers that a test guest expects, counted. Only what is wrong is printed: a terminal shows its last lines. */
#pragma once
#include <stdint.h>

/* The program's name, for "TEST-FAIL NAME: ...". Before the first expect(). */
void expect_for(const char *program);
/* What the program is doing, printed before each `what` from now on; NULL: nothing. */
void expect_while(const char *doing);

void expect(const char *what, uint64_t value, uint64_t wanted);

/* Prints text, then how many answers were right, of how many: "5 of 6" and a newline. */
void expect_tell(const char *text);
