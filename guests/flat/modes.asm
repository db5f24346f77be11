; The way through the processor's modes for guests/test/modes.c; instructions exit in each. SDM Vol. 3A, "Switching to Protected
; Mode", "Switching Out of IA-32e Mode Operation", "8086 Emulation", "5-Level Paging".

global modes_run

CODE            equ 0xa000			; docs/guest-flat.md: free; real mode reaches it
RESULTS         equ 0xc000			; modes.c reads them
PML5            equ 0xd000
TSS             equ 0xe000
IDT             equ 0xe800			; 32-bit gates
STACK           equ 0xf000			; of 32-bit and 16-bit code
STACK_VIRTUAL   equ 0xef00			; of virtual-8086 mode
STACK_FAULT     equ 0xefe0			; of ring 0, when that faults
CODE_32         equ 0x08
CODE_64         equ 0x10			; as in the GDT of flat programs, so that its IDT stays good
DATA            equ 0x18
CODE_16         equ 0x20
TSS_SELECTOR    equ 0x28
MSR_EFER        equ 0xc0000080
MSR_KERNEL_GS_BASE equ 0xc0000102
CR0_PG          equ 0x80000000
CR4_LA57        equ 0x1000
RFLAGS_VM       equ 0x20002
UNKNOWN_CALL    equ 0x7fffffff
DEVICE          equ 0xd0000000			; an address without memory
SECOND_HALF     equ 1 << 48			; where five levels show the same once more
LINE_STATUS     equ 0x3fd
LINE_EMPTY      equ 0x40
MARK            equ 0x600df00d

%define at(label) (label - modes_code + CODE)
%define result(place) RESULTS + 4 * place

section .text
bits 64

; void modes_run(uint32_t has_la57);
modes_run:
	push	rbx
	push	rbp
	push	r12
	push	r13
	push	r14
	push	r15
	mov	[has_la57], edi
	mov	[stack], rsp
	mov	rax, cr3
	mov	[tables], rax
	sidt	[idt]
	sgdt	[gdt]
	mov	esi, modes_code
	mov	edi, CODE
	mov	ecx, modes_code_end - modes_code
	cld
	rep movsb
	mov	esp, STACK
	lgdt	[abs at(gdt_register)]
	push	CODE_32
	push	CODE
	o64 retf

back:
	mov	rsp, [stack]
	lidt	[idt]
	lgdt	[gdt]
	mov	eax, DATA
	mov	ds, eax
	mov	es, eax
	mov	ss, eax
	pop	r15
	pop	r14
	pop	r13
	pop	r12
	pop	rbp
	pop	rbx
	ret

align 16
modes_code:
bits 32
	mov	eax, DATA			; compatibility mode
	mov	ds, eax
	mov	es, eax
	mov	ss, eax
	mov	eax, UNKNOWN_CALL
	vmcall
	mov	[result(0)], eax
	xor	eax, eax
	cpuid
	mov	[result(1)], ebx

	mov	eax, cr0			; protected mode without paging
	and	eax, ~CR0_PG
	mov	cr0, eax
	mov	ecx, MSR_EFER
	rdmsr
	mov	[result(2)], eax
	mov	eax, UNKNOWN_CALL
	vmcall
	mov	[result(3)], eax

	mov	dword [TSS + 4], STACK_FAULT	; virtual-8086 mode, which HLT leaves by #GP
	mov	dword [TSS + 8], DATA
	mov	dword [TSS + 100], 0x68 << 16
	mov	eax, TSS_SELECTOR
	ltr	ax
	mov	eax, at(virtual_fault)
	mov	edx, eax
	and	eax, 0xffff
	or	eax, CODE_32 << 16
	mov	[IDT + 13 * 8], eax
	and	edx, 0xffff0000
	or	edx, 0x8e00
	mov	[IDT + 13 * 8 + 4], edx
	lidt	[at(idt_protected)]
	push	0				; GS, FS, DS, ES
	push	0
	push	0
	push	0
	push	0				; SS:ESP
	push	STACK_VIRTUAL
	push	RFLAGS_VM
	push	0
	push	at(virtual_mode)
	iretd

virtual_fault:
	mov	eax, DATA
	mov	ds, eax
	mov	es, eax
	mov	fs, eax
	mov	gs, eax
	mov	eax, [esp + 4]			; behind the error code
	sub	eax, at(virtual_halt)
	mov	[result(13)], eax
	mov	esp, STACK
	jmp	CODE_16:at(protected_16)

bits 16
protected_16:					; DS keeps its 4 GiB
	mov	eax, cr0
	and	al, ~1
	mov	cr0, eax
	jmp	0:at(real_mode)

real_mode:
	xor	ax, ax
	mov	ss, ax
	mov	es, ax
	mov	esp, STACK
	o32 lidt [at(idt_real)]
	mov	dword [6 * 4], at(real_fault)
	mov	dword [13 * 4], at(real_fault)
	mov	eax, UNKNOWN_CALL
	vmcall
	mov	[result(4)], eax
	xor	eax, eax
	cpuid
	mov	[result(5)], ebx
	mov	ebp, result(6)
	mov	si, at(.behind_rdmsr)
	mov	ecx, 0x12345
	rdmsr
.behind_rdmsr:
	mov	ebp, result(7)
	mov	si, at(.behind_ud2)
	ud2
.behind_ud2:
	mov	[result(8)], esp
	mov	ebx, 0x100000
	mov	eax, [ebx]
	mov	[result(9)], eax
	mov	dx, LINE_STATUS
	in	al, dx
	and	eax, LINE_EMPTY
	mov	[result(10)], eax
	mov	eax, cr0			; and out of it again
	or	al, 1
	mov	cr0, eax
	jmp	dword CODE_32:at(protected_32)

real_fault:					; IP, CS and FLAGS only
	mov	dword [ds:ebp], MARK
	add	sp, 6
	jmp	si

virtual_mode:
	mov	eax, UNKNOWN_CALL
	vmcall
	mov	[result(11)], eax
	xor	eax, eax
	cpuid
	mov	[result(12)], ebx
virtual_halt:
	hlt

bits 32
protected_32:
	mov	eax, DATA
	mov	ds, eax
	mov	es, eax
	mov	ss, eax
	mov	esp, STACK
	cmp	dword [has_la57], 0
	je	four_levels
	mov	eax, [tables]			; five levels: the same tables at 0 and at 2^48
	or	eax, 3
	mov	[PML5], eax
	mov	[PML5 + 8], eax
	mov	eax, cr4
	or	eax, CR4_LA57
	mov	cr4, eax
	mov	eax, PML5
	mov	cr3, eax
	mov	eax, cr0
	or	eax, CR0_PG
	mov	cr0, eax
	jmp	CODE_64:at(five_levels)

bits 64
five_levels:
	mov	ecx, MSR_EFER
	rdmsr
	mov	[abs result(14)], eax
	xor	eax, eax
	cpuid
	mov	[abs result(15)], ebx
	mov	rbx, SECOND_HALF + DEVICE
	mov	eax, [rbx]
	mov	[abs result(16)], eax
	mov	rbx, SECOND_HALF + 0x100000
	mov	eax, [rbx]
	mov	[abs result(17)], eax
	mov	ecx, MSR_KERNEL_GS_BASE		; of 57 bits, through an exit
	mov	edx, 0x00ffffff
	mov	eax, 0x1000
	wrmsr
	mov	eax, UNKNOWN_CALL
	vmcall
	rdmsr
	mov	[abs result(18)], edx
	xor	edx, edx
	xor	eax, eax
	wrmsr
	push	CODE_32
	push	at(leave_five)
	o64 retf

bits 32
leave_five:
	mov	eax, DATA
	mov	ss, eax
	mov	eax, cr0
	and	eax, ~CR0_PG
	mov	cr0, eax
	mov	eax, cr4
	and	eax, ~CR4_LA57
	mov	cr4, eax
four_levels:
	mov	eax, [tables]
	mov	cr3, eax
	mov	eax, cr0
	or	eax, CR0_PG
	mov	cr0, eax
	jmp	CODE_64:back

align 8
descriptors:
	dq	0
	dq	0x00cf9b000000ffff		; CODE_32
	dq	0x00af9b000000ffff		; CODE_64
	dq	0x00cf93000000ffff		; DATA
	dq	0x00009b000000ffff		; CODE_16
	dq	0x0000890000000067 | TSS << 16	; TSS_SELECTOR
gdt_register:
	dw	gdt_register - descriptors - 1
	dq	at(descriptors)
idt_real:
	dw	0x3ff
	dd	0
idt_protected:
	dw	0x7ff
	dd	IDT
modes_code_end:

section .bss
align 8
has_la57:	resq	1
stack:		resq	1
tables:		resq	1
idt:		resb	10
gdt:		resb	10

section .note.GNU-stack noalloc noexec nowrite progbits
