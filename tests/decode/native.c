/* The host's CPU as an oracle. All that the instruction may change is loaded from, and stored to, one structure; its stack is the
 * guest's, so signals have their own. */
#include "tests/decode/native.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#define CONTEXT_XMM   136
#define CONTEXT_UPPER 392
#define CONTEXT_MM    648

struct native_context native_registers;
uint64_t native_host_rsp, native_jump;
uint8_t *native_code;
void native_enter(uint64_t with_avx);
void native_back(void);

_Static_assert(offsetof(struct native_context, xmm) == CONTEXT_XMM && offsetof(struct native_context, upper) == CONTEXT_UPPER &&
		       offsetof(struct native_context, mm) == CONTEXT_MM, "the assembly below knows these");

#define EACH_16(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)
#define EACH_8(X)  X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)
#define LOAD_XMM(n)    "movups native_registers+136+16*" #n "(%rip), %xmm" #n "\n"
#define STORE_XMM(n)   "movups %xmm" #n ", native_registers+136+16*" #n "(%rip)\n"
#define LOAD_UPPER(n)  "vinsertf128 $1, native_registers+392+16*" #n "(%rip), %ymm" #n ", %ymm" #n "\n"
#define STORE_UPPER(n) "vextractf128 $1, %ymm" #n ", native_registers+392+16*" #n "(%rip)\n"
#define LOAD_MM(n)     "movq native_registers+648+8*" #n "(%rip), %mm" #n "\n"
#define STORE_MM(n)    "movq %mm" #n ", native_registers+648+8*" #n "(%rip)\n"
#define GPRS(X)                                                                                                     \
	X("%rax", "0") X("%rcx", "8") X("%rdx", "16") X("%rbx", "24") X("%rsp", "32") X("%rbp", "40") X("%rsi", "48")       \
	X("%rdi", "56") X("%r8", "64") X("%r9", "72") X("%r10", "80") X("%r11", "88") X("%r12", "96") X("%r13", "104")      \
	X("%r14", "112") X("%r15", "120")
#define LOAD_GPR(name, offset)  "mov native_registers+" offset "(%rip), " name "\n"
#define STORE_GPR(name, offset) "mov " name ", native_registers+" offset "(%rip)\n"

__asm__(".text\n.globl native_enter\nnative_enter:\n"
	"push %rbx\npush %rbp\npush %r12\npush %r13\npush %r14\npush %r15\npush %rdi\n"
	EACH_16(LOAD_XMM)
	"test %rdi, %rdi\njz 1f\n"
	EACH_16(LOAD_UPPER)
	"1:\n"
	EACH_8(LOAD_MM)
	"mov %rsp, native_host_rsp(%rip)\n"
	"pushq native_registers+128(%rip)\npopfq\n"
	GPRS(LOAD_GPR)
	"jmp *native_jump(%rip)\n"
	".globl native_back\nnative_back:\n"
	GPRS(STORE_GPR)
	"mov native_host_rsp(%rip), %rsp\n"
	"pushfq\npopq native_registers+128(%rip)\ncld\n"
	EACH_16(STORE_XMM)
	EACH_8(STORE_MM)
	"emms\n"
	"pop %rdi\ntest %rdi, %rdi\njz 1f\n"
	EACH_16(STORE_UPPER)
	"vzeroupper\n"
	"1:\n"
	"pop %r15\npop %r14\npop %r13\npop %r12\npop %rbp\npop %rbx\nret\n");

static void on_fault(int number, siginfo_t *info, void *context)
{
	ucontext_t *user = context;

	(void)number;
	(void)info;
	if (native_registers.fault != -1 || native_host_rsp == 0)
		abort();
	native_registers.fault = (int)user->uc_mcontext.gregs[REG_TRAPNO];
	user->uc_mcontext.gregs[REG_RIP] = (greg_t)(uintptr_t)native_back;
}

uint64_t native_end(void)
{
	return (uintptr_t)native_back;
}

bool native_has_avx(void)
{
	return __builtin_cpu_supports("avx") != 0;
}

bool native_has_bmi(void)
{
	return __builtin_cpu_supports("bmi") != 0 && __builtin_cpu_supports("bmi2") != 0 && __builtin_cpu_supports("popcnt") != 0;
}

void native_start(void)
{
	static uint8_t stack[65536];
	static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};
	stack_t alternative = {.ss_sp = stack, .ss_size = sizeof(stack)};
	struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};

	if (sigaltstack(&alternative, NULL) != 0)
		abort();
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (sigaction(signals[i], &action, NULL) != 0)
			abort();
	native_code = mmap(NULL, NATIVE_CODE_BYTES, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (native_code == MAP_FAILED)
		abort();
}

void native_run(struct native_context *context, const uint8_t *bytes, size_t count)
{
	static const uint8_t jump[] = {0xff, 0x25, 0, 0, 0, 0}; /* to the address behind it */
	uint64_t back = native_end();

	memcpy(native_code, bytes, count);
	memcpy(native_code + count, jump, sizeof(jump));
	memcpy(native_code + count + sizeof(jump), &back, sizeof(back));
	native_jump = (uintptr_t)native_code;
	native_registers = *context;
	native_registers.fault = -1;
	native_enter(native_has_avx());
	native_host_rsp = 0;
	*context = native_registers;
}
