; Ways into ring 0 and out of it: kernel start, SYSENTER, SYSCALL, interrupts and exceptions, the switch between two threads.
; Every C function is called on a kernel stack whose head names this CPU (kernel/percpu.h); no register that a program or guest
; controls is trusted. Ring 0 runs with IF = 0.

bits 64
default rel

extern kernel_main, boot_stack_top, syscall_dispatch, interrupt_from_stub, exception_from_stub, thread_first_run
global kernel_entry, sysenter_entry, syscall_entry, switch_stacks, thread_trampoline, user_enter
global interrupt_stubs, exception_stubs, kernel_iret

USER_CODE equ 0x2b
USER_DATA equ 0x33

section .text

; void kernel_entry(struct boot_info *): RDI = boot information, RSP = boot stack. Jumped to by the loader; never returns.
kernel_entry:
	lea	rsp, [boot_stack_top]	; the kernel's own, with a head as percpu_self() needs it
	xor	ebp, ebp
	cld
	call	kernel_main
	ud2

; SYSENTER. In: RSP = IA32_SYSENTER_ESP, which points at this CPU's copy of the current thread's stack top; RCX = user RSP,
; RDX = user RIP, RAX = number, arguments as abi/syscall.h says. SYSENTER clears IF and VM only: the other flags are loaded clean
; here, which also clears AC (SMAP) and TF. A #DB before that is taken on its own stack.
; SDM Vol. 2B, "SYSENTER", "SYSEXIT".
sysenter_entry:
	mov	rsp, [rsp]
	push	rcx
	push	rdx
	push	2
	popfq
	push	r9
	push	r8
	push	r11
	push	r10
	push	rsi
	push	rdi
	mov	rdi, rax
	mov	rsi, rsp
	call	syscall_dispatch
	add	rsp, 48
	pop	rdx
	pop	rcx
	; SYSEXIT raises #GP in ring 0 for addresses that are not canonical: those of a program never lie above USER_END.
	mov	r10, rdx
	or	r10, rcx
	shr	r10, 47
	jnz	.bad_return
	xor	edi, edi
	xor	esi, esi
	xor	r8d, r8d
	xor	r9d, r9d
	xor	r10d, r10d
	xor	r11d, r11d
	sti
	o64 sysexit
.bad_return:
	xor	edx, edx		; a page that is never mapped: the program takes the page fault
	xor	ecx, ecx
	sti
	o64 sysexit

; SYSCALL, only where SYSENTER does not exist in 64-bit mode (AMD), and where therefore no guest runs. In: RCX = user RIP,
; R11 = user flags, RDX = user RSP (the stub put it there), R10 and R9 as for SYSENTER, RBX = third argument's neighbour:
; the stub passes the argument that travels in R11 for SYSENTER in R12, since SYSCALL overwrites R11. SYSCALL switches no
; stack: the per-CPU trampoline before this loaded RSP from memory beside itself.
syscall_entry:
	mov	rsp, [rsp]
	push	rdx
	push	rcx
	push	r9
	push	r8
	push	r12
	push	r10
	push	rsi
	push	rdi
	mov	rdi, rax
	mov	rsi, rsp
	call	syscall_dispatch
	add	rsp, 48
	pop	rcx
	pop	rdx
	mov	r10, rdx
	or	r10, rcx
	shr	r10, 47
	jz	.good_return
	xor	edx, edx
	xor	ecx, ecx
.good_return:
	mov	rsp, rdx
	xor	edi, edi
	xor	esi, esi
	xor	r8d, r8d
	xor	r9d, r9d
	xor	r10d, r10d
	mov	r11d, 0x202
	o64 sysret

; void switch_stacks(uint64_t *save_rsp, uint64_t load_rsp): the switch between two threads of ring 0.
switch_stacks:
	push	rbx
	push	rbp
	push	r12
	push	r13
	push	r14
	push	r15
	mov	[rdi], rsp
	mov	rsp, rsi
	pop	r15
	pop	r14
	pop	r13
	pop	r12
	pop	rbp
	pop	rbx
	ret

; First code of a new thread, reached by switch_stacks' RET.
thread_trampoline:
	xor	ebp, ebp
	call	thread_first_run
	ud2

; _Noreturn void user_enter(uint64_t rip, uint64_t rsp, uint64_t rdi): enters ring 3 with clean registers.
user_enter:
	push	USER_DATA
	push	rsi
	push	0x202
	push	USER_CODE
	push	rdi
	mov	rdi, rdx
	xor	eax, eax
	xor	ebx, ebx
	xor	ecx, ecx
	xor	edx, edx
	xor	esi, esi
	xor	ebp, ebp
	xor	r8d, r8d
	xor	r9d, r9d
	xor	r10d, r10d
	xor	r11d, r11d
	xor	r12d, r12d
	xor	r13d, r13d
	xor	r14d, r14d
	xor	r15d, r15d
	iretq

%macro SAVE_REGISTERS 0
	push	r15
	push	r14
	push	r13
	push	r12
	push	r11
	push	r10
	push	r9
	push	r8
	push	rdi
	push	rsi
	push	rbp
	push	rbx
	push	rdx
	push	rcx
	push	rax
	cld
%endmacro

%macro RESTORE_REGISTERS 0
	pop	rax
	pop	rcx
	pop	rdx
	pop	rbx
	pop	rbp
	pop	rsi
	pop	rdi
	pop	r8
	pop	r9
	pop	r10
	pop	r11
	pop	r12
	pop	r13
	pop	r14
	pop	r15
%endmacro

; Common ends of the stubs. The stack holds struct trap_frame (kernel/trap.h) from `vector` on. CLAC is not needed: an
; interrupt gate does not clear AC, so the saved copy keeps it, and PUSH/POPFQ loads it clean.
interrupt_common:
	SAVE_REGISTERS
	push	2
	popfq
	mov	rdi, rsp
	call	interrupt_from_stub
	RESTORE_REGISTERS
	add	rsp, 16
	iretq

exception_common:
	SAVE_REGISTERS
	push	2
	popfq
	mov	rdi, rsp
	call	exception_from_stub
kernel_iret:
	RESTORE_REGISTERS
	add	rsp, 16
	iretq

; Stubs, 16 bytes apart: exception_stubs[32] and interrupt_stubs[224].
align 16
exception_stubs:
%assign vector 0
%rep 32
	align	16
%if vector = 8 || (vector >= 10 && vector <= 14) || vector = 17 || vector = 21 || vector = 29 || vector = 30
%else
	push	0
%endif
	push	vector
	jmp	exception_common
%assign vector vector + 1
%endrep

align 16
interrupt_stubs:
%assign vector 32
%rep 224
	align	16
	push	0
	push	strict dword vector
	jmp	strict near interrupt_common
%assign vector vector + 1
%endrep

section .note.GNU-stack noalloc noexec nowrite progbits
