; VM entry and exit: what C cannot say. SDM Vol. 3C, "VM Entries", "VM Exits".
; The guest's general registers lie in vcpu_state.gpr in the order RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8 - R15. HOST_RSP points
; behind them, so that the pushes of an exit are the save; RSP's own place is filled by C when it is asked for.

%include "vmx_offsets.inc"

default rel
section .text

; Named places for mitigations, empty where the CPU needs none.
%macro MITIGATE_ENTRY 0		; VERW, L1D flush
%endmacro
%macro MITIGATE_EXIT 0		; RSB fill; IBPB belongs to the change of VM
%endmacro

; No guest value stays in a register when C runs. Keeps RDI and R12.
%macro CLEAR_REGISTERS 0
	xor	eax, eax
	xor	ecx, ecx
	xor	edx, edx
	xor	ebx, ebx
	xor	ebp, ebp
	xor	esi, esi
	xor	r8d, r8d
	xor	r9d, r9d
	xor	r10d, r10d
	xor	r11d, r11d
	xor	r13d, r13d
	xor	r14d, r14d
	xor	r15d, r15d
%endmacro

extern vmx_exit_dispatch
global vmx_enter:function hidden
global vmx_exit:function hidden
global vmx_unblock_nmi:function hidden

; uint64_t vmx_enter(struct vcpu_state *state)
; In: RDI = state, its VMCS current, IF = 0. Out: RAX = RUN_*. Keeps what the C ABI keeps. The stack pointer is kept in the private
; page, so that one frame serves all exits until the dispatcher says to leave.
vmx_enter:
	push	rbx
	push	rbp
	push	r12
	push	r13
	push	r14
	push	r15
	sub	rsp, 8		; the dispatcher is called with RSP a multiple of 16
	mov	[rdi + STATE_TO_PRIVATE + PRIVATE_KERNEL_RSP], rsp
.again:				; RDI = state
	MITIGATE_ENTRY
	cmp	qword [rdi + STATE_TO_PRIVATE + PRIVATE_LAUNCHED], 0
	mov	rsp, rdi	; from here on flags are not touched before VMLAUNCH
	pop	rax
	pop	rcx
	pop	rdx
	pop	rbx
	lea	rsp, [rsp + 8]
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
	je	.launch
	vmresume
	jmp	.failed
.launch:
	vmlaunch
.failed:			; VMfailInvalid sets CF, VMfailValid sets ZF; RSP = behind gpr[]
	mov	rsp, [rsp - STATE_GPR_BYTES + STATE_TO_PRIVATE + PRIVATE_KERNEL_RSP]
	mov	edi, RUN_VMFAIL_INVALID
	jc	.clear
	mov	edi, RUN_VMFAIL_VALID
.clear:
	CLEAR_REGISTERS
	mov	eax, edi
.leave:				; RAX = answer, RSP = as stored
	add	rsp, 8
	pop	r15
	pop	r14
	pop	r13
	pop	r12
	pop	rbp
	pop	rbx
	ret

; HOST_RIP: every VM exit arrives here. RSP = HOST_RSP = behind gpr[], other general registers the guest's, IF = 0, DF = 0.
vmx_exit:
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
	lea	rsp, [rsp - 8]
	push	rbx
	push	rdx
	push	rcx
	push	rax
	mov	r12, rsp	; = state
	mov	rdi, [rsp + STATE_TO_PRIVATE + PRIVATE_VCPU]
	mov	qword [rsp + STATE_TO_PRIVATE + PRIVATE_LAUNCHED], 1
	mov	rsp, [rsp + STATE_TO_PRIVATE + PRIVATE_KERNEL_RSP]
	MITIGATE_EXIT
	CLEAR_REGISTERS
	call	vmx_exit_dispatch
	mov	rdi, r12
	test	eax, eax
	jz	vmx_enter.again
	jmp	vmx_enter.leave

; void vmx_unblock_nmi(void)
; An exit by NMI leaves NMIs blocked until an IRET. SDM Vol. 3C, "VM Exits Caused by NMIs".
vmx_unblock_nmi:
	mov	rax, rsp
	mov	ecx, ss
	push	rcx
	push	rax
	pushfq
	mov	ecx, cs
	push	rcx
	lea	rcx, [.unblocked]
	push	rcx
	iretq
.unblocked:
	ret
