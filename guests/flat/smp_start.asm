; The way of an application processor from its SIPI to C. SDM Vol. 3A, "Multiple-Processor (MP) Initialization", "Initializing
; IA-32e Mode": real mode, then long mode at once, with the page tables and the GDT of the bootstrap processor.

extern smp_begin, smp_stacks
global smp_trampoline, smp_trampoline_end

TRAMPOLINE      equ 0xa000			; docs/guest-flat.md: free; smp.c copies it there
STACK_BYTES     equ 4096			; smp.c
CODE_SELECTOR   equ 0x10
DATA_SELECTOR   equ 0x18
PAGE_TABLES     equ 0x1000
GDT             equ 0x7000
GDT_LIMIT       equ 0x1f
CR4_PAE         equ 0x20
MSR_EFER        equ 0xc0000080
EFER_LME        equ 0x100
CR0_FLAT        equ 0x80010033			; PG, WP, NE, ET, MP, PE
PROCESSORS_MAX  equ 64				; smp.h

section .rodata
bits 16

smp_trampoline:
	cli
	xor	ax, ax
	mov	ds, ax
	o32 lgdt [TRAMPOLINE + gdt_register - smp_trampoline]
	mov	eax, CR4_PAE
	mov	cr4, eax
	mov	eax, PAGE_TABLES
	mov	cr3, eax
	mov	ecx, MSR_EFER
	mov	eax, EFER_LME
	xor	edx, edx
	wrmsr
	mov	eax, CR0_FLAT
	mov	cr0, eax
	jmp	dword CODE_SELECTOR:(TRAMPOLINE + in_long_mode - smp_trampoline)

align 8
gdt_register:
	dw	GDT_LIMIT
	dd	GDT

bits 64
in_long_mode:
	mov	eax, DATA_SELECTOR
	mov	ds, eax
	mov	es, eax
	mov	ss, eax
	mov	fs, eax
	mov	gs, eax
	mov	rax, on_own_stack
	jmp	rax
smp_trampoline_end:

section .text

on_own_stack:
	mov	eax, 0x0b			; the x2APIC ID is in EDX
	xor	ecx, ecx
	cpuid
	mov	edi, edx
	cmp	edi, PROCESSORS_MAX
	jae	.halt
	lea	eax, [rdi + 1]
	imul	eax, eax, STACK_BYTES
	lea	rsp, [smp_stacks + rax]
	xor	ebp, ebp
	call	smp_begin
.halt:
	cli
	hlt
	jmp	.halt

section .note.GNU-stack noalloc noexec nowrite progbits
