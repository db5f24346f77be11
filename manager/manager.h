/* Inside manager/ only: all that the manager knows, and its three acts: boot, serve, shut down. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "lib/manifest/manifest.h"
#include "manager/console_link.h"
#include "manager/host.h"
#include "manager/power.h"
#include "manager/regions.h"
#include "manager/schedule.h"
#include "manager/switches.h"
#include "manager/top.h"
#include "manager/vm.h"

/* Bits of the manager's event. */
#define MANAGER_EVENT_CONSOLE      0x01ULL /* a request, or room for answers */
#define MANAGER_EVENT_CONSOLE_END  0x02ULL
#define MANAGER_EVENT_VM_STATE     0x04ULL
#define MANAGER_EVENT_VM_END       0x08ULL
#define MANAGER_EVENT_POWER_BUTTON 0x10ULL /* the SCI */
#define MANAGER_EVENT_SWITCH_END   0x20ULL

#define CONSOLE_RESTARTS_MAX 3U

struct manager {
	handle_t event;
	handle_t sleep_event; /* nobody signals it: for waits of a given time */
	handle_t sci;         /* HANDLE_NONE: no power button */
	uint64_t unserved_bits; /* of the event, taken while VMs were stopped */
	struct host host;
	struct power power;
	struct console_link console;
	struct console_wishes console_wishes;
	uint32_t console_restart_count;
	bool has_shown_vm;    /* the console was led to the first VM that runs */
	struct vm_surroundings around;
	uint32_t vm_count;
	struct vm_entry vms[MANIFEST_VMS_MAX];
	struct manifest manifest;
	struct schedule schedule;
	struct top top;
	struct switches switches;
	struct regions regions;
};

/* Reads the manifest, makes the PC ready, starts console and VMs. Errors: kernel and manager do not match. */
MUST_CHECK enum status manager_boot(struct manager *manager);

/* Starts the console; all VMs' terminals go to it. */
void manager_start_console(struct manager *manager);

/* Stops all VMs, the last one first, and switches the PC off. Returns only if that cannot be done; the log says so. */
void manager_shut_down(struct manager *manager);

/* Lets so much time pass. */
void manager_sleep_ms(struct manager *manager, uint64_t ms);
