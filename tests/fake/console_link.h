/* The manager's link to the console, of which tests read what was answered. */
#pragma once

/* "KIND REQUEST TEXT|" for each message sent since the test emptied it. */
extern char fake_console_answers[256];
