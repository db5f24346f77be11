/* Lines that the code under test has logged. */
#pragma once

extern unsigned fake_log_lines;
