/* What a program of the host finds around it: the page of program_info, and a log that tests read. */
#pragma once

/* All lines written since fake_program_start(), each with its newline. */
extern char fake_program_log[4096];

/* Empties the log. Time runs so fast that every wait of milliseconds is over at once. */
void fake_program_start(void);
