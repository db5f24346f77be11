/* Reservations as constant-bandwidth servers. Pure. Abeni and Buttazzo, "Integrating Multimedia Applications in Hard Real-Time
 * Systems". */
#include "kernel/schedule/internal.h"

/* A thread that wakes keeps what is left of its budget only if that cannot exceed its bandwidth until the deadline. */
void server_wake(struct schedule_server *server, uint64_t now_tsc)
{
	bool is_over = (int64_t)(now_tsc - server->deadline_tsc) >= 0;

	if (!is_over && (server->left_ticks <= 0 ||
			 (unsigned __int128)(uint64_t)server->left_ticks * server->period_ticks <=
			     (unsigned __int128)(server->deadline_tsc - now_tsc) * server->budget_ticks))
		return;
	server->left_ticks = (int64_t)server->budget_ticks + (server->left_ticks < 0 ? server->left_ticks : 0);
	server->deadline_tsc = now_tsc + server->period_ticks;
}

void server_refill(struct schedule_server *server, uint64_t now_tsc)
{
	server->left_ticks = (int64_t)server->budget_ticks + (server->left_ticks < 0 ? server->left_ticks : 0);
	server->deadline_tsc += server->period_ticks;
	if ((int64_t)(server->deadline_tsc - now_tsc) <= 0)
		server->deadline_tsc = now_tsc + server->period_ticks; /* nobody asked for it for whole periods */
}
