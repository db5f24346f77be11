; From C's calling convention to that of abi/syscall.h.

bits 64
default rel

extern system_call_stub
global system_call, system_call_short

section .text

; int64_t system_call(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
; In: RDI = number; RSI, RDX, RCX, R8, R9, [RSP + 8] = arguments. The stub preserves what C expects to be preserved and
; returns to the caller with the answer in RAX.
system_call:
	mov	rax, rdi
	mov	rdi, rsi
	mov	rsi, rdx
	mov	r10, rcx
	mov	r11, r8
	mov	r8, r9
	mov	r9, [rsp + 8]
	mov	rcx, [system_call_stub]
	jmp	rcx

; int64_t system_call_short(uint64_t number, uint64_t a): a call of one argument, the shortest way.
system_call_short:
	mov	rax, rdi
	mov	rdi, rsi
	mov	rcx, [system_call_stub]
	jmp	rcx

section .note.GNU-stack noalloc noexec nowrite progbits
