/* Poisons the VM-exit instruction length. Bochs writes that field of the VMCS at every exit, a CPU only for the exits that the
 * manual lists; a hypervisor that reads it elsewhere works here and fails on a PC. So the emulator's own function for VMREAD is
 * overwritten: where the list below does not have the exit that the VMCS holds, the field reads as garbage, another one each
 * time. All other fields go to the emulator's function as before.
 *
 * The list was written from the manual and shares nothing with vmx/exit.h, whose use of the field it tests. (Intel SDM Vol. 3C,
 * "Information for VM Exits Due to Instruction Execution", the paragraph "VM-exit instruction length"; numbers: Vol. 3D, "VMX
 * Basic Exit Reasons".)
 */
#define _GNU_SOURCE
#include "tools/bochs/poison.h"

#include <dlfcn.h>
#include <stdlib.h>

#include "tools/bochs/redirect.h"

#define FIELD_EXIT_REASON          0x4402U
#define FIELD_INTERRUPTION         0x4404U
#define FIELD_IDT_VECTORING        0x4408U
#define FIELD_INSTRUCTION_LENGTH   0x440cU
#define FIELD_QUALIFICATION        0x6400U

enum event_type { HARDWARE_EXCEPTION = 3, SOFTWARE_INTERRUPT = 4, PRIVILEGED_SOFTWARE_EXCEPTION = 5, SOFTWARE_EXCEPTION = 6 };
enum {
	REASON_EXCEPTION_OR_NMI = 0, REASON_TASK_SWITCH = 9, REASON_APIC_ACCESS = 44, REASON_EPT_VIOLATION = 48,
	REASON_PML_FULL = 62
};
enum { TASK_GATE_IN_IDT = 3 };

typedef uint32_t read32_function(void *cpu, uint32_t field);
typedef uint64_t read64_function(void *cpu, uint32_t field);

static read32_function *read32;
static read64_function *read64;
static read64_function *unpoisoned_read;

/* Exits by the instruction itself, before it has done anything. */
static bool is_by_instruction(uint32_t reason)
{
	switch (reason) {
	case 10: case 11: case 12: case 13:          /* CPUID, GETSEC, HLT, INVD */
	case 14: case 15: case 16: case 17:          /* INVLPG, RDPMC, RDTSC, RSM */
	case 18: case 19: case 20: case 21: case 22: /* VMCALL, VMCLEAR, VMLAUNCH, VMPTRLD, VMPTRST */
	case 23: case 24: case 25: case 26: case 27: /* VMREAD, VMRESUME, VMWRITE, VMXOFF, VMXON */
	case 28: case 29:                            /* MOV CR, CLTS, LMSW; MOV DR */
	case 30: case 31: case 32:                   /* IN, INS, OUT, OUTS; RDMSR; WRMSR */
	case 36: case 39: case 40:                   /* MWAIT, MONITOR, PAUSE */
	case 46: case 47:                            /* LGDT, LIDT, SGDT, SIDT; LLDT, LTR, SLDT, STR */
	case 50: case 51: case 53: case 54: case 55: /* INVEPT, RDTSCP, INVVPID, WBINVD, XSETBV */
	case 57: case 58: case 60: case 61:          /* RDRAND, INVPCID, ENCLS, RDSEED */
	case 63: case 64: case 65:                   /* XSAVES, XRSTORS, PCONFIG */
	case 67: case 68: case 69: case 70:          /* UMWAIT, TPAUSE, LOADIWKEY, ENCLV */
		return true;
	default:
		return false;
	}
}

/* The exit came while INT n, INT1, INT3 or INTO was being delivered. */
static bool in_software_delivery(void *cpu)
{
	uint32_t info = read32(cpu, FIELD_IDT_VECTORING);
	uint32_t type = info >> 8 & 7;

	return info >> 31 != 0 && type >= SOFTWARE_INTERRUPT && type <= SOFTWARE_EXCEPTION;
}

/* Not on the manual's list, but CPUs write the length, and hypervisors rely on it: an exit of kind 1, a data write by an
 * instruction, at the local APIC's offset B0h. Vol. 3C, "Exit Qualification for APIC-Access VM Exits from Linear Accesses". */
static bool is_write_of_eoi(void *cpu)
{
	return (read64(cpu, FIELD_QUALIFICATION) & 0xffff) == 0x10b0;
}

static bool length_is_defined(void *cpu)
{
	uint32_t reason = read32(cpu, FIELD_EXIT_REASON), type;

	if (reason >> 31 != 0) /* a VM entry that failed */
		return false;
	switch (reason & 0xffff) {
	case REASON_EXCEPTION_OR_NMI:
		type = read32(cpu, FIELD_INTERRUPTION) >> 8 & 7;
		return type == PRIVILEGED_SOFTWARE_EXCEPTION || type == SOFTWARE_EXCEPTION ||
		       (type == HARDWARE_EXCEPTION && in_software_delivery(cpu));
	case REASON_TASK_SWITCH:
		return (read64(cpu, FIELD_QUALIFICATION) >> 30 & 3) != TASK_GATE_IN_IDT || in_software_delivery(cpu);
	case REASON_APIC_ACCESS:
		return is_write_of_eoi(cpu) || in_software_delivery(cpu);
	case REASON_EPT_VIOLATION:
	case REASON_PML_FULL:
		return in_software_delivery(cpu);
	default:
		return is_by_instruction(reason & 0xffff);
	}
}

static uint32_t garbage(void)
{
	static const uint32_t values[] = { 0, 1, 15, 0x80000000, 4, 16, 0xffffffff, 7, 2, 0x100, 3 };
	static unsigned next;

	return values[next++ % (sizeof(values) / sizeof(values[0]))];
}

static uint64_t poisoned_read(void *cpu, uint32_t field)
{
	if (field == FIELD_INSTRUCTION_LENGTH && !length_is_defined(cpu))
		return garbage();
	return unpoisoned_read(cpu, field);
}

/* endbr64; mov eax, esi; sub rsp, 18h; shr eax, 0Dh */
static const uint8_t function_start[] = { 0xf3, 0x0f, 0x1e, 0xfa, 0x89, 0xf0, 0x48, 0x83, 0xec, 0x18, 0xc1, 0xe8, 0x0d };

/* A function that does what the emulator's did: its start, moved, then a jump to the rest (with R11, since RAX is in use there). */
static void *build_unpoisoned(const uint8_t *function)
{
	uint8_t *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const uint8_t *rest = function + sizeof(function_start);

	if (page == MAP_FAILED)
		return NULL;
	memcpy(page, function_start, sizeof(function_start));
	memcpy(page + sizeof(function_start), "\x49\xbb", 2);
	memcpy(page + sizeof(function_start) + 2, &rest, sizeof(rest));
	memcpy(page + sizeof(function_start) + 10, "\x41\xff\xe3", 3);
	return mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0 ? page : NULL;
}

bool poison_install(void)
{
	const char *wish = getenv("BULKHEAD_POISON");
	uint8_t *function = dlsym(RTLD_DEFAULT, "_ZN8BX_CPU_C6vmreadEj");
	void *symbol32 = dlsym(RTLD_DEFAULT, "_ZN8BX_CPU_C8VMread32Ej");
	void *symbol64 = dlsym(RTLD_DEFAULT, "_ZN8BX_CPU_C8VMread64Ej");
	read64_function *poisoned = poisoned_read;
	void *original, *replacement;

	if ((wish != NULL && strcmp(wish, "0") == 0) || function == NULL || symbol32 == NULL || symbol64 == NULL)
		return false;
	if (memcmp(function, function_start, sizeof(function_start)) != 0)
		return false;
	original = build_unpoisoned(function);
	if (original == NULL)
		return false;
	memcpy(&read32, &symbol32, sizeof(read32));
	memcpy(&read64, &symbol64, sizeof(read64));
	memcpy(&unpoisoned_read, &original, sizeof(unpoisoned_read));
	memcpy(&replacement, &poisoned, sizeof(replacement));
	return redirect(function, replacement);
}
