/* VMREAD and friends on a VMCS in memory, for host tests of vmx/: put before a source file by -include (vmx/vmx.mk). */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "vmx/vmx_insn.h"

struct fake_vmx {
	uint64_t fields[0x8000];     /* the current VMCS, by encoding */
	unsigned vmclears, vmptrlds, vmxons, vmxoffs;
	unsigned invvpids, invepts;
	bool is_off;                 /* an instruction that needs VMX operation then fails the test */
};

extern struct fake_vmx fake_vmx;

bool fake_vmx_on(uint64_t region_physical);
void fake_vmx_off(void);
bool fake_vmx_clear(uint64_t vmcs_physical);
bool fake_vmx_load(uint64_t vmcs_physical);
bool fake_vmx_read(uint64_t encoding, uint64_t *value);
bool fake_vmx_write(uint64_t encoding, uint64_t value);
bool fake_vmx_invept(uint64_t type, const struct invalidation *descriptor);
bool fake_vmx_invvpid(uint64_t type, const struct invalidation *descriptor);

#define vmx_off     fake_vmx_off
#define vmx_clear   fake_vmx_clear
#define vmx_load    fake_vmx_load
#define vmx_read    fake_vmx_read
#define vmx_write   fake_vmx_write
#define vmx_invept  fake_vmx_invept
#define vmx_invvpid fake_vmx_invvpid
