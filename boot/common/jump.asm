; The last instructions of both loaders: from the loader's page tables to the kernel's.
; Source: SDM Vol. 3A, "Control Registers", "4-Level Paging and 5-Level Paging"; abi/boot_info.h.

CR0_PE		equ	1 << 0
CR0_MP		equ	1 << 1
CR0_ET		equ	1 << 4
CR0_NE		equ	1 << 5
CR0_WP		equ	1 << 16
CR0_PG		equ	1 << 31
CR4_PAE		equ	1 << 5
CR4_MCE		equ	1 << 6
MSR_IA32_EFER	equ	0xc0000080
EFER_NXE_BIT	equ	11

	bits	64
	section	.text

; _Noreturn void jump_to_kernel(uint64_t entry_virtual, uint64_t root_physical, uint64_t stack_top_virtual,
;                               uint64_t info_virtual)
; In: RDI, RSI, RDX, RCX as above. Out: the kernel's entry with RDI = info_virtual, RSP = stack_top_virtual, all other
; general registers 0, IF = DF = 0. Jumped to from boot/common/start.c in 64-bit mode, 4-level paging.
	global	jump_to_kernel:function hidden
jump_to_kernel:
	cli
	cld
	mov	r8, rdi			; entry
	mov	r9, rdx			; stack
	mov	rdi, rcx		; info

	mov	rax, cr4		; first CR4: CET must go before CR0.WP is touched, PGE so that no old
	and	eax, CR4_MCE		; translation stays; machine checks stay as they were
	or	eax, CR4_PAE
	mov	cr4, rax

	mov	ecx, MSR_IA32_EFER	; before the new tables: NX bits are reserved bits without it
	rdmsr
	bts	eax, EFER_NXE_BIT
	wrmsr

	mov	cr3, rsi
	mov	eax, CR0_PG | CR0_WP | CR0_NE | CR0_ET | CR0_MP | CR0_PE
	mov	cr0, rax
	mov	rsp, r9

	xor	eax, eax
	xor	ebx, ebx
	xor	ecx, ecx
	xor	edx, edx
	xor	esi, esi
	xor	ebp, ebp
	xor	r9d, r9d
	xor	r10d, r10d
	xor	r11d, r11d
	xor	r12d, r12d
	xor	r13d, r13d
	xor	r14d, r14d
	xor	r15d, r15d
	push	r8			; the entry stays out of the registers: "ret" restores RSP
	xor	r8d, r8d
	ret

	global	jump_to_kernel_end:data hidden
jump_to_kernel_end:

	section	.note.GNU-stack noalloc noexec nowrite progbits
