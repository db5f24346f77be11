; The first code of another CPU: real mode at a page below 1 MiB, into which it is copied. It claims the ticket (so that a CPU which
; wakes up too late, after it was given up, halts), enters 64-bit mode at once and goes on in ap_entry on its own stack.

%include "kernel_offsets.inc"	; P_*: offsets of struct trampoline_parameters in the page

global smp_trampoline_start, smp_trampoline_long, smp_trampoline_end

section .rodata

bits 16
align 16
smp_trampoline_start:
	cli
	cld
	mov	ax, cs
	mov	ds, ax
	xor	eax, eax
	xchg	[P_TICKET], eax
	test	eax, eax
	jz	.too_late
	o32 lgdt [P_GDTR]
	mov	eax, 0x20			; CR4.PAE
	mov	cr4, eax
	mov	eax, [P_CR3]
	mov	cr3, eax
	mov	ecx, 0xc0000080			; IA32_EFER: LME, NXE
	mov	eax, 0x900
	xor	edx, edx
	wrmsr
	mov	eax, 0x80010033			; CR0: PG WP NE ET MP PE, caches on
	mov	cr0, eax
	jmp	far dword [P_JUMP]
.too_late:
	hlt
	jmp	.too_late

bits 64
align 16
smp_trampoline_long:
	mov	eax, 0x10
	mov	ss, eax
	mov	ds, eax
	mov	es, eax
	lea	rbx, [rel smp_trampoline_start]
	mov	rsp, [rbx + P_STACK]
	mov	rax, [rbx + P_ENTRY]
	xor	ebp, ebp
	call	rax
	ud2
smp_trampoline_end:

section .note.GNU-stack noalloc noexec nowrite progbits
