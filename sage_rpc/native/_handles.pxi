# What the user holds of a call that goes on while he does something else: a CallFuture, or a ResponseStream.
# Included by _core.pyx.
#
# A handle is its call's `grpc.Call` and `grpc.Future`. The connection knows the call and not the handle, so a
# handle that nobody holds any more cancels its call, as in grpcio. Callbacks hold the handle that they are given.
#
# A handle is its call's error besides, again as in grpcio: `result()` raises the very object that the user
# holds. Errors of our family are of a class that depends on the status (sage_rpc.errors), and some of these
# classes are builtin OSErrors (a TimeoutError, say), whose instances are larger than those of other exceptions.
# So every handle is laid out as an OSError, and becomes an instance of its error's class when its call has
# failed: each class of the family has one for handles beside it, all of them of the same layout. Those that are no
# OSError by the table of the family leave it out of their method resolution order, by which `except` goes.

cdef class Handle(OSError):
    """A call that was started without waiting for it."""

    # -- grpc.Call and grpc.RpcContext

    def code(self):
        return self.call.code()

    def details(self):
        return self.call.details()

    def initial_metadata(self):
        return self.call.initial_metadata()

    def trailing_metadata(self):
        return self.call.trailing_metadata()

    def debug_error_string(self):
        return self.call.debug_error_string()

    def is_active(self):
        self.call.look()
        return self.call.state < CALL_ENDED

    def time_remaining(self):
        return self.call.time_remaining()

    def add_callback(self, callback):
        return self.call.add_callback(callback)

    @property
    def never_ran(self):
        """See sage_rpc.errors.RpcError."""
        return self.call.never_ran

    # -- grpcio's private names, which others read

    @property
    def _state(self):
        return faces.CallState(self)

    @property
    def _call(self):
        return faces.NativeCall(self)

    @property
    def _deadline(self):
        left = self.call.time_remaining()
        return None if left is None else time.time() + left

    @property
    def _response_deserializer(self):
        return self.call.deserializer

    @property
    def _heard(self):
        """Whether the server has sent metadata or a message."""
        return self.call.heard

    # -- grpc.Future

    def cancel(self):
        return self.call.cancel()

    def cancelled(self):
        return self.call.cancelled_here

    def running(self):
        self.call.look()
        return self.call.state < CALL_ENDED

    def done(self):
        self.call.look()
        return self.call.state >= CALL_ENDED

    def result(self, timeout=None):
        self.call._settle(timeout)
        if self.call.status == OK:
            return self.call.value
        if self.call.cancelled_here:
            raise grpc.FutureCancelledError()
        raise self.as_error()

    def exception(self, timeout=None):
        self.call._settle(timeout)
        if self.call.status == OK:
            return None
        if self.call.cancelled_here:
            raise grpc.FutureCancelledError()
        return self.as_error()

    def traceback(self, timeout=None):
        error = self.exception(timeout)
        if error is None:
            return None
        try:
            raise error
        except grpc.RpcError as raised:
            return raised.__traceback__

    def add_done_callback(self, fn):
        if self.call.state >= CALL_ENDED:
            fn(self)
        else:
            self.call.call_back(fn, self)

    # -- the error

    cdef object as_error(self):
        """This handle, whose call has failed, as an instance of the error's class."""
        self.__class__ = self.error_classes()[_STATUS.get(self.call.status, grpc.StatusCode.UNKNOWN)]
        return self

    cdef dict error_classes(self):
        return _FUTURE_ERRORS

    def __str__(self):
        return str(self.call._error()) if self.call.status > OK else repr(self)

    def __repr__(self):
        if self.call.status > OK:
            return repr(self.call._error())
        state = "under way" if self.call.state < CALL_ENDED else _STATUS[OK]
        return f"<sage_rpc.{type(self).__name__} {self.call.method} {state}>"

    def __reduce__(self):
        if self.call.status > OK:
            rebuild, arguments = self.call._error().__reduce__()
            return rebuild, arguments[:4]      # as an error without its call, and not as that of a blocking one
        raise TypeError("a call does not pickle, it belongs to this process: send its result()")

    def __del__(self):
        if self.call is not None and self.call.state < CALL_ENDED:
            self.call.drop(CANCELLED, "Cancelled upon garbage collection!")


cdef class StreamHandle(Handle):
    """A handle that is an iterator of responses besides."""

    def __iter__(self):
        return self

    def __next__(self):
        cdef StreamCall call = <StreamCall>self.call
        cdef bytes message = None
        try:
            message = call.next_message()
        except BaseException:
            call.end_here(CANCELLED, "Cancelled: the waiting thread was interrupted")
            raise
        if message is not None:
            try:
                return _deserialized(message, call.deserializer)
            except Exception:
                _LOGGER.exception("Exception deserializing a response of %s", call.method)
                call.end_here(INTERNAL, "Exception deserializing response!")
                if call.status == OK:
                    call.status = INTERNAL
                    call.text = "Exception deserializing response!"
        if call.status == OK:
            raise StopIteration
        raise self.as_error()

    def next(self):
        return self.__next__()

    def _next(self):
        return self.__next__()

    cdef dict error_classes(self):
        return _STREAM_ERRORS


class _Lineage(type(errors.RpcError)):
    """Makes the classes of handles: no OSErrors but where the class of the family is one."""

    def mro(cls):
        lineage = super().mro()
        if issubclass(cls.__bases__[1], OSError):
            return lineage
        return [each for each in lineage if each is not OSError]


def _error_classes(name, kind):
    """Of each status the class of a handle of `kind` whose call has failed so. `name` is that of any other handle."""
    made = {}
    for code in grpc.StatusCode:
        family = errors.class_of(code)
        if family not in made:
            called = name if family is errors.RpcError else family.__name__
            bases = (kind, family, grpc._channel._MultiThreadedRendezvous)
            made[family] = _Lineage(called, bases, {"__slots__": (), "__module__": family.__module__,
                                                            "__doc__": family.__doc__})
    return {code: made[errors.class_of(code)] for code in grpc.StatusCode}


cdef dict _FUTURE_ERRORS = _error_classes("CallFuture", Handle)
cdef dict _STREAM_ERRORS = _error_classes("ResponseStream", StreamHandle)
cdef tuple _NO_ARGUMENTS = ()
cdef object _CALL_FUTURE = _FUTURE_ERRORS[grpc.StatusCode.UNKNOWN]
cdef object _RESPONSE_STREAM = _STREAM_ERRORS[grpc.StatusCode.UNKNOWN]
CallFuture = _CALL_FUTURE
ResponseStream = _RESPONSE_STREAM


cdef inline Handle _handle(kind, Call call):
    cdef Handle handle = <Handle>(<PyTypeObject *>kind).tp_new(<type>kind, <PyObject *>_NO_ARGUMENTS, NULL)
    handle.call = call
    return handle


cdef Handle _future(Call call):
    return _handle(_CALL_FUTURE, call)


cdef Handle _responses(StreamCall call):
    return _handle(_RESPONSE_STREAM, call)
