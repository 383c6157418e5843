# The named queue (queue.h, robust_lock.h) under sanitizers; the Makefile includes this.

.PHONY: queue-asan queue-ubsan queue-tsan queue-every

QUEUE_HEADERS := queue.mk check.h $(NATIVE)/ring.h $(QUEUE)/queue.h $(QUEUE)/robust_lock.h

$(BUILD)/test_queue.asan: test_queue.c $(QUEUE_HEADERS) | $(BUILD)
	$(CC) $(CFLAGS_ALL) $(ASAN) -DITEMS=200000u -DSTRIDE=71u $< -o $@ -lpthread
$(BUILD)/test_queue.ubsan: test_queue.c $(QUEUE_HEADERS) | $(BUILD)
	$(CC) $(CFLAGS_ALL) $(UBSAN) -DITEMS=400000u -DKILLS=1000u -DSTRIDE=37u $< -o $@ -lpthread
$(BUILD)/test_queue.tsan: test_queue.c $(QUEUE_HEADERS) | $(BUILD)
	$(CC) $(CFLAGS_ALL) $(TSAN) -DITEMS=60000u -DKILLS=100u -DSTRIDE=1009u $< -o $@ -lpthread

queue-asan queue-ubsan: queue-%: $(BUILD)/test_queue.%
	$(SAY) "$*: named queue"
	@$(BUILD)/test_queue.$*

queue-tsan: $(BUILD)/test_queue.tsan $(BUILD)/test_queue.unordered
	$(SAY) "tsan: named queue"
	@$(BUILD)/test_queue.tsan
	@if TSAN_OPTIONS=halt_on_error=1 $(BUILD)/test_queue.unordered threads >$(BUILD)/queue-unordered.log 2>&1; \
	then echo "tsan: a lock that is taken without acquire was not reported"; exit 1; \
	elif grep -q 'data race' $(BUILD)/queue-unordered.log; \
	then echo "  control: a lock that is taken without acquire is reported as a data race"; \
	else cat $(BUILD)/queue-unordered.log; exit 1; fi

# Some minutes: death after every single instruction of put, get, and a get that sleeps; not part of `all`.
queue-every: $(BUILD)/test_queue.every
	$(SAY) "named queue: death after every instruction"
	@$(BUILD)/test_queue.every death_at_every_instruction
$(BUILD)/test_queue.every: test_queue.c $(QUEUE_HEADERS) | $(BUILD)
	$(CC) $(CFLAGS_ALL) -O2 -DSTRIDE=1u $< -o $@ -lpthread

# The control: the same test over a robust_lock.h whose owner does not see what the last one wrote.
$(BUILD)/test_queue.unordered: test_queue.c $(QUEUE_HEADERS) | $(BUILD)
	@mkdir -p $(BUILD)/queue-unordered
	@sed 's/mine, memory_order_acquire/mine, memory_order_relaxed/' $(QUEUE)/robust_lock.h \
		>$(BUILD)/queue-unordered/robust_lock.h
	@cp $(QUEUE)/queue.h $(BUILD)/queue-unordered/
	@! cmp -s $(QUEUE)/robust_lock.h $(BUILD)/queue-unordered/robust_lock.h
	$(CC) $(CFLAGS_ALL:-I$(NATIVE)=-I$(BUILD)/queue-unordered -I$(NATIVE)) $(TSAN) -DITEMS=60000u $< -o $@ -lpthread
