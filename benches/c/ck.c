/*
 * Concurrency Kit's ck_epoch, as far as the comparison needs it.
 *
 * A read section is a few instructions that the header inlines, which a call
 * from Rust is not; so there is one function for a whole section with its load.
 */
#include <stdint.h>
#include <stdlib.h>
#include <ck_epoch.h>

static void *room(size_t size)
{
	size_t line = 64;
	return aligned_alloc(line, (size + line - 1) / line * line);
}

/* A new epoch, or NULL. */
ck_epoch_t *smr_ck_new(void)
{
	ck_epoch_t *epoch = room(sizeof *epoch);
	if (epoch != NULL)
		ck_epoch_init(epoch);
	return epoch;
}

/* An unused record of the epoch, or a new one, or NULL. */
ck_epoch_record_t *smr_ck_register(ck_epoch_t *epoch)
{
	ck_epoch_record_t *record = ck_epoch_recycle(epoch, NULL);
	if (record == NULL && (record = room(sizeof *record)) != NULL)
		ck_epoch_register(epoch, record, NULL);
	return record;
}

/* Frees everything that the record has given up, and lets go of it. */
void smr_ck_unregister(ck_epoch_record_t *record)
{
	ck_epoch_barrier(record);
	ck_epoch_unregister(record);
}

/* Frees the epoch and its records, of which none is in use. */
void smr_ck_destroy(ck_epoch_t *epoch)
{
	ck_stack_entry_t *entry, *next;
	for (entry = CK_STACK_FIRST(&epoch->records); entry != NULL; entry = next) {
		next = CK_STACK_NEXT(entry);
		free((char *)entry - offsetof(ck_epoch_record_t, record_next));
	}
	free(epoch);
}

void smr_ck_enter(ck_epoch_record_t *record) { ck_epoch_begin(record, NULL); }
void smr_ck_leave(ck_epoch_record_t *record) { ck_epoch_end(record, NULL); }

uint64_t smr_ck_read(ck_epoch_record_t *record, uint64_t *const *source)
{
	uint64_t value;
	ck_epoch_begin(record, NULL);
	value = *(uint64_t *)ck_pr_load_ptr(source);
	ck_epoch_end(record, NULL);
	return value;
}

void smr_ck_retire(ck_epoch_record_t *record, ck_epoch_entry_t *entry, ck_epoch_cb_t *gone)
{
	ck_epoch_call(record, entry, gone);
}

void smr_ck_poll(ck_epoch_record_t *record) { ck_epoch_poll(record); }

/* What Rust keeps room for. */
_Static_assert(sizeof(ck_epoch_entry_t) == 2 * sizeof(void *), "an entry is two words");
_Static_assert(_Alignof(ck_epoch_entry_t) <= _Alignof(void *), "aligned like a word");
