/* What the simulator shows: each scenario prints its figures, one a line, "name value unit". */
#pragma once
#include <stdint.h>

/* factor: how much longer than usual. */
void scenario_shares(uint64_t factor);
void scenario_caps(uint64_t factor);
void scenario_starvation(uint64_t factor);
void scenario_wakeup(uint64_t factor);
void scenario_hostile(uint64_t factor);
void scenario_reserved(uint64_t factor);
void scenario_reserved_sets(uint64_t factor);
void scenario_reserved_overrun(uint64_t factor);
void scenario_windows(uint64_t factor);
void scenario_balance(uint64_t factor);

void print_ticks(const char *name, uint64_t ticks);
void print_count(const char *name, uint64_t count);
void print_percent(const char *name, double percent);
