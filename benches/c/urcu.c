/*
 * liburcu, as far as the comparison needs it: one set of functions a flavour.
 *
 * A read section is a few instructions that the headers inline, which a call
 * from Rust is not; so there is one function for a whole section with its load,
 * which costs what it costs in C and one call.
 *
 * _LGPL_SOURCE inlines the sections. It asks for a licence that is compatible
 * with the LGPL; of the two of this project, the MIT licence is.
 */
#define _LGPL_SOURCE
#include <stdint.h>
#include <stdlib.h>
#include <urcu/urcu-memb.h>
#include <urcu/urcu-mb.h>
#include <urcu/urcu-bp.h>
#include <urcu/urcu-qsbr.h>

/* The headers declare call_rcu and the barrier for the first flavour only. */
#define FLAVOUR(name, quiescent) \
	extern void urcu_##name##_call_rcu(struct rcu_head *, void (*)(struct rcu_head *)); \
	extern void urcu_##name##_barrier(void); \
	void smr_##name##_register(void) { urcu_##name##_register_thread(); } \
	void smr_##name##_unregister(void) { urcu_##name##_unregister_thread(); } \
	void smr_##name##_enter(void) { urcu_##name##_read_lock(); } \
	void smr_##name##_leave(void) { urcu_##name##_read_unlock(); quiescent; } \
	uint64_t smr_##name##_read(uint64_t *const *source) \
	{ \
		uint64_t value; \
		urcu_##name##_read_lock(); \
		value = *rcu_dereference(*source); \
		urcu_##name##_read_unlock(); \
		quiescent; \
		return value; \
	} \
	void smr_##name##_retire(struct rcu_head *head, void (*gone)(struct rcu_head *)) \
	{ \
		urcu_##name##_call_rcu(head, gone); \
	} \
	void smr_##name##_barrier(void) { urcu_##name##_barrier(); } \
	void smr_##name##_pause(void) { urcu_##name##_thread_offline(); } \
	void smr_##name##_resume(void) { urcu_##name##_thread_online(); }

FLAVOUR(memb, )
FLAVOUR(mb, )
FLAVOUR(bp, )
FLAVOUR(qsbr, urcu_qsbr_quiescent_state())

/*
 * The first flavour once more, with the library's other way of giving up: a
 * queue for each thread, which the thread itself works off after a grace period
 * that it waits for when the queue is full. A second thread of the library does
 * so ten times a second.
 */
void smr_defer_open(void)
{
	if (urcu_memb_defer_register_thread() != 0)
		abort();
}

void smr_defer_close(void) { urcu_memb_defer_unregister_thread(); }

void smr_defer_retire(void *head, void (*gone)(void *)) { urcu_memb_defer_rcu(gone, head); }
void smr_defer_barrier(void) { urcu_memb_defer_barrier(); }

/* What Rust keeps room for. */
_Static_assert(sizeof(struct rcu_head) == 2 * sizeof(void *), "an rcu_head is two words");
_Static_assert(_Alignof(struct rcu_head) <= _Alignof(void *), "aligned like a word");
