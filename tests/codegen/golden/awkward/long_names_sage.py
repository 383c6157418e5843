# Written by protoc-gen-sage from awkward/long_names.proto; do not edit.
"""Services of awkward/long_names.proto: bases to implement, and clients."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterable, Iterable, Mapping
from concurrent.futures import Future
from typing import Any

from sage_rpc import clients, servicers

from . import long_names_pb2

__all__ = [
    "AServiceWithANameThatIsLongerThanAnyServiceShouldHaveAioClient",
    "AServiceWithANameThatIsLongerThanAnyServiceShouldHaveAsyncClient",
    "AServiceWithANameThatIsLongerThanAnyServiceShouldHaveBase",
    "AServiceWithANameThatIsLongerThanAnyServiceShouldHaveClient",
]


class AServiceWithANameThatIsLongerThanAnyServiceShouldHaveBase(servicers.Base):
    """What implements test.awkward.a_package_whose_name.goes_on_and_on.and_does_not_come_to_an_end.AServiceWithANameThatIsLongerThanAnyServiceShouldHave."""

    SERVICE = "test.awkward.a_package_whose_name.goes_on_and_on.and_does_not_come_to_an_end.AServiceWithANameThatIsLongerThanAnyServiceShouldHave"
    RPCS = (
        servicers.Rpc(
            "FindTheThingsThatSomebodyWithALotOfPatienceHasGivenNamesTo",
            "find_the_things_that_somebody_with_a_lot_of_patience_has_given_names_to",
            long_names_pb2.AMessageWithANameOfMoreThanFortyCharacters,
            long_names_pb2.AMessageWithANameOfMoreThanFortyCharacters.AndAnotherOneInsideThatIsNoShorterThanIt,
        ),
        servicers.Rpc(
            "StreamTheThingsThatSomebodyWithALotOfPatienceHasGivenNamesTo",
            "stream_the_things_that_somebody_with_a_lot_of_patience_has_given_names_to",
            long_names_pb2.AMessageWithANameOfMoreThanFortyCharacters,
            long_names_pb2.AMessageWithANameOfMoreThanFortyCharacters.AndAnotherOneInsideThatIsNoShorterThanIt,
            requests_stream=True,
            responses_stream=True,
        ),
        servicers.Rpc("Short", "short", long_names_pb2.Some, long_names_pb2.Some),
    )

    @abstractmethod
    def find_the_things_that_somebody_with_a_lot_of_patience_has_given_names_to(
        self,
        request: long_names_pb2.AMessageWithANameOfMoreThanFortyCharacters,
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Response[
        long_names_pb2.AMessageWithANameOfMoreThanFortyCharacters.AndAnotherOneInsideThatIsNoShorterThanIt
    ]:
        """Serves test.awkward.a_package_whose_name.goes_on_and_on.and_does_not_come_to_an_end.AServiceWithANameThatIsLongerThanAnyServiceShouldHave.FindTheThingsThatSomebodyWithALotOfPatienceHasGivenNamesTo."""

    @abstractmethod
    def stream_the_things_that_somebody_with_a_lot_of_patience_has_given_names_to(
        self,
        requests: servicers.Requests[
            long_names_pb2.AMessageWithANameOfMoreThanFortyCharacters
        ],
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Responses[
        long_names_pb2.AMessageWithANameOfMoreThanFortyCharacters.AndAnotherOneInsideThatIsNoShorterThanIt
    ]:
        """Serves test.awkward.a_package_whose_name.goes_on_and_on.and_does_not_come_to_an_end.AServiceWithANameThatIsLongerThanAnyServiceShouldHave.StreamTheThingsThatSomebodyWithALotOfPatienceHasGivenNamesTo."""

    @abstractmethod
    def short(
        self,
        request: long_names_pb2.Some,
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Response[long_names_pb2.Some]:
        """Serves test.awkward.a_package_whose_name.goes_on_and_on.and_does_not_come_to_an_end.AServiceWithANameThatIsLongerThanAnyServiceShouldHave.Short."""


class AServiceWithANameThatIsLongerThanAnyServiceShouldHaveClient(clients.Client):
    """Calls test.awkward.a_package_whose_name.goes_on_and_on.and_does_not_come_to_an_end.AServiceWithANameThatIsLongerThanAnyServiceShouldHave. Methods wait for the response."""

    SERVICE = "test.awkward.a_package_whose_name.goes_on_and_on.and_does_not_come_to_an_end.AServiceWithANameThatIsLongerThanAnyServiceShouldHave"

    def _bind_methods(self, binder: clients.Binder) -> None:
        self._call_find_the_things_that_somebody_with_a_lot_of_patience_has_given_names_to = binder.unary_unary(
            "/test.awkward.a_package_whose_name.goes_on_and_on.and_does_not_come_to_an_end.AServiceWithANameThatIsLongerThanAnyServiceShouldHave/FindTheThingsThatSomebodyWithALotOfPatienceHasGivenNamesTo",
            long_names_pb2.AMessageWithANameOfMoreThanFortyCharacters,
            long_names_pb2.AMessageWithANameOfMoreThanFortyCharacters.AndAnotherOneInsideThatIsNoShorterThanIt,
        )
        self._call_stream_the_things_that_somebody_with_a_lot_of_patience_has_given_names_to = binder.stream_stream(
            "/test.awkward.a_package_whose_name.goes_on_and_on.and_does_not_come_to_an_end.AServiceWithANameThatIsLongerThanAnyServiceShouldHave/StreamTheThingsThatSomebodyWithALotOfPatienceHasGivenNamesTo",
            long_names_pb2.AMessageWithANameOfMoreThanFortyCharacters,
            long_names_pb2.AMessageWithANameOfMoreThanFortyCharacters.AndAnotherOneInsideThatIsNoShorterThanIt,
        )
        self._call_short = binder.unary_unary(
            "/test.awkward.a_package_whose_name.goes_on_and_on.and_does_not_come_to_an_end.AServiceWithANameThatIsLongerThanAnyServiceShouldHave/Short",
            long_names_pb2.Some,
            long_names_pb2.Some,
        )

    def find_the_things_that_somebody_with_a_lot_of_patience_has_given_names_to(
        self,
        request: long_names_pb2.AMessageWithANameOfMoreThanFortyCharacters
        | None = None,
        /,
        *,
        a_single_field_with_a_long_name: long_names_pb2.AMessageWithANameOfMoreThanFortyCharacters.AndAnotherOneInsideThatIsNoShorterThanIt
        | Mapping[str, Any]
        | None = None,
        a_repeated_field_with_a_long_name: Iterable[
            long_names_pb2.AMessageWithANameOfMoreThanFortyCharacters.AndAnotherOneInsideThatIsNoShorterThanIt
            | Mapping[str, Any]
        ]
        | None = None,
        a_map_with_a_long_name: Mapping[
            str,
            long_names_pb2.AMessageWithANameOfMoreThanFortyCharacters.AndAnotherOneInsideThatIsNoShorterThanIt
            | Mapping[str, Any],
        ]
        | None = None,
        more_of_the_same: Iterable[
            long_names_pb2.AMessageWithANameOfMoreThanFortyCharacters
            | Mapping[str, Any]
        ]
        | None = None,
        named_more_of_the_same: Mapping[
            str,
            long_names_pb2.AMessageWithANameOfMoreThanFortyCharacters
            | Mapping[str, Any],
        ]
        | None = None,
        a_field_whose_name_has_far_more_than_the_eighty_eight_characters_that_fit_on_a_line_of_a_file: str
        | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> long_names_pb2.AMessageWithANameOfMoreThanFortyCharacters.AndAnotherOneInsideThatIsNoShorterThanIt:
        """Calls test.awkward.a_package_whose_name.goes_on_and_on.and_does_not_come_to_an_end.AServiceWithANameThatIsLongerThanAnyServiceShouldHave.FindTheThingsThatSomebodyWithALotOfPatienceHasGivenNamesTo."""
        return self._call_find_the_things_that_somebody_with_a_lot_of_patience_has_given_names_to(
            clients.request_of(
                "test.awkward.a_package_whose_name.goes_on_and_on.and_does_not_come_to_an_end.AServiceWithANameThatIsLongerThanAnyServiceShouldHave.FindTheThingsThatSomebodyWithALotOfPatienceHasGivenNamesTo",
                long_names_pb2.AMessageWithANameOfMoreThanFortyCharacters,
                request,
                {
                    "a_single_field_with_a_long_name": a_single_field_with_a_long_name,
                    "a_repeated_field_with_a_long_name": a_repeated_field_with_a_long_name,
                    "a_map_with_a_long_name": a_map_with_a_long_name,
                    "more_of_the_same": more_of_the_same,
                    "named_more_of_the_same": named_more_of_the_same,
                    "a_field_whose_name_has_far_more_than_the_eighty_eight_characters_that_fit_on_a_line_of_a_file": a_field_whose_name_has_far_more_than_the_eighty_eight_characters_that_fit_on_a_line_of_a_file,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def stream_the_things_that_somebody_with_a_lot_of_patience_has_given_names_to(
        self,
        requests: Iterable[long_names_pb2.AMessageWithANameOfMoreThanFortyCharacters],
        /,
        *,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> clients.Stream[
        long_names_pb2.AMessageWithANameOfMoreThanFortyCharacters.AndAnotherOneInsideThatIsNoShorterThanIt
    ]:
        """Calls test.awkward.a_package_whose_name.goes_on_and_on.and_does_not_come_to_an_end.AServiceWithANameThatIsLongerThanAnyServiceShouldHave.StreamTheThingsThatSomebodyWithALotOfPatienceHasGivenNamesTo."""
        return self._call_stream_the_things_that_somebody_with_a_lot_of_patience_has_given_names_to(
            requests,
            timeout,
            metadata,
            wait_for_ready,
        )

    def short(
        self,
        request: long_names_pb2.Some | None = None,
        /,
        *,
        a_name_of_thirty_characters: str | None = None,
        one_of_twenty_chars: str | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> long_names_pb2.Some:
        """Calls test.awkward.a_package_whose_name.goes_on_and_on.and_does_not_come_to_an_end.AServiceWithANameThatIsLongerThanAnyServiceShouldHave.Short."""
        if request is None and a_name_of_thirty_characters is None:
            made = long_names_pb2.Some()
            try:
                if one_of_twenty_chars is not None:
                    made.one_of_twenty_chars = one_of_twenty_chars
            except (TypeError, ValueError):
                pass
            else:
                return self._call_short(made, timeout, metadata, wait_for_ready)
        return self._call_short(
            clients.request_of(
                "test.awkward.a_package_whose_name.goes_on_and_on.and_does_not_come_to_an_end.AServiceWithANameThatIsLongerThanAnyServiceShouldHave.Short",
                long_names_pb2.Some,
                request,
                {
                    "a_name_of_thirty_characters": a_name_of_thirty_characters,
                    "one_of_twenty_chars": one_of_twenty_chars,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )


class AServiceWithANameThatIsLongerThanAnyServiceShouldHaveAsyncClient(
    clients.AsyncClient
):
    """Calls test.awkward.a_package_whose_name.goes_on_and_on.and_does_not_come_to_an_end.AServiceWithANameThatIsLongerThanAnyServiceShouldHave. Methods give a Future of the response."""

    SERVICE = "test.awkward.a_package_whose_name.goes_on_and_on.and_does_not_come_to_an_end.AServiceWithANameThatIsLongerThanAnyServiceShouldHave"

    def _bind_methods(self, binder: clients.AsyncBinder) -> None:
        self._call_find_the_things_that_somebody_with_a_lot_of_patience_has_given_names_to = binder.unary_unary(
            "/test.awkward.a_package_whose_name.goes_on_and_on.and_does_not_come_to_an_end.AServiceWithANameThatIsLongerThanAnyServiceShouldHave/FindTheThingsThatSomebodyWithALotOfPatienceHasGivenNamesTo",
            long_names_pb2.AMessageWithANameOfMoreThanFortyCharacters,
            long_names_pb2.AMessageWithANameOfMoreThanFortyCharacters.AndAnotherOneInsideThatIsNoShorterThanIt,
        )
        self._call_stream_the_things_that_somebody_with_a_lot_of_patience_has_given_names_to = binder.stream_stream(
            "/test.awkward.a_package_whose_name.goes_on_and_on.and_does_not_come_to_an_end.AServiceWithANameThatIsLongerThanAnyServiceShouldHave/StreamTheThingsThatSomebodyWithALotOfPatienceHasGivenNamesTo",
            long_names_pb2.AMessageWithANameOfMoreThanFortyCharacters,
            long_names_pb2.AMessageWithANameOfMoreThanFortyCharacters.AndAnotherOneInsideThatIsNoShorterThanIt,
        )
        self._call_short = binder.unary_unary(
            "/test.awkward.a_package_whose_name.goes_on_and_on.and_does_not_come_to_an_end.AServiceWithANameThatIsLongerThanAnyServiceShouldHave/Short",
            long_names_pb2.Some,
            long_names_pb2.Some,
        )

    def find_the_things_that_somebody_with_a_lot_of_patience_has_given_names_to(
        self,
        request: long_names_pb2.AMessageWithANameOfMoreThanFortyCharacters
        | None = None,
        /,
        *,
        a_single_field_with_a_long_name: long_names_pb2.AMessageWithANameOfMoreThanFortyCharacters.AndAnotherOneInsideThatIsNoShorterThanIt
        | Mapping[str, Any]
        | None = None,
        a_repeated_field_with_a_long_name: Iterable[
            long_names_pb2.AMessageWithANameOfMoreThanFortyCharacters.AndAnotherOneInsideThatIsNoShorterThanIt
            | Mapping[str, Any]
        ]
        | None = None,
        a_map_with_a_long_name: Mapping[
            str,
            long_names_pb2.AMessageWithANameOfMoreThanFortyCharacters.AndAnotherOneInsideThatIsNoShorterThanIt
            | Mapping[str, Any],
        ]
        | None = None,
        more_of_the_same: Iterable[
            long_names_pb2.AMessageWithANameOfMoreThanFortyCharacters
            | Mapping[str, Any]
        ]
        | None = None,
        named_more_of_the_same: Mapping[
            str,
            long_names_pb2.AMessageWithANameOfMoreThanFortyCharacters
            | Mapping[str, Any],
        ]
        | None = None,
        a_field_whose_name_has_far_more_than_the_eighty_eight_characters_that_fit_on_a_line_of_a_file: str
        | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> Future[
        long_names_pb2.AMessageWithANameOfMoreThanFortyCharacters.AndAnotherOneInsideThatIsNoShorterThanIt
    ]:
        """Calls test.awkward.a_package_whose_name.goes_on_and_on.and_does_not_come_to_an_end.AServiceWithANameThatIsLongerThanAnyServiceShouldHave.FindTheThingsThatSomebodyWithALotOfPatienceHasGivenNamesTo."""
        return self._call_find_the_things_that_somebody_with_a_lot_of_patience_has_given_names_to(
            clients.request_of(
                "test.awkward.a_package_whose_name.goes_on_and_on.and_does_not_come_to_an_end.AServiceWithANameThatIsLongerThanAnyServiceShouldHave.FindTheThingsThatSomebodyWithALotOfPatienceHasGivenNamesTo",
                long_names_pb2.AMessageWithANameOfMoreThanFortyCharacters,
                request,
                {
                    "a_single_field_with_a_long_name": a_single_field_with_a_long_name,
                    "a_repeated_field_with_a_long_name": a_repeated_field_with_a_long_name,
                    "a_map_with_a_long_name": a_map_with_a_long_name,
                    "more_of_the_same": more_of_the_same,
                    "named_more_of_the_same": named_more_of_the_same,
                    "a_field_whose_name_has_far_more_than_the_eighty_eight_characters_that_fit_on_a_line_of_a_file": a_field_whose_name_has_far_more_than_the_eighty_eight_characters_that_fit_on_a_line_of_a_file,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def stream_the_things_that_somebody_with_a_lot_of_patience_has_given_names_to(
        self,
        requests: Iterable[long_names_pb2.AMessageWithANameOfMoreThanFortyCharacters],
        /,
        *,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> clients.Stream[
        long_names_pb2.AMessageWithANameOfMoreThanFortyCharacters.AndAnotherOneInsideThatIsNoShorterThanIt
    ]:
        """Calls test.awkward.a_package_whose_name.goes_on_and_on.and_does_not_come_to_an_end.AServiceWithANameThatIsLongerThanAnyServiceShouldHave.StreamTheThingsThatSomebodyWithALotOfPatienceHasGivenNamesTo."""
        return self._call_stream_the_things_that_somebody_with_a_lot_of_patience_has_given_names_to(
            requests,
            timeout,
            metadata,
            wait_for_ready,
        )

    def short(
        self,
        request: long_names_pb2.Some | None = None,
        /,
        *,
        a_name_of_thirty_characters: str | None = None,
        one_of_twenty_chars: str | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> Future[long_names_pb2.Some]:
        """Calls test.awkward.a_package_whose_name.goes_on_and_on.and_does_not_come_to_an_end.AServiceWithANameThatIsLongerThanAnyServiceShouldHave.Short."""
        if request is None and a_name_of_thirty_characters is None:
            made = long_names_pb2.Some()
            try:
                if one_of_twenty_chars is not None:
                    made.one_of_twenty_chars = one_of_twenty_chars
            except (TypeError, ValueError):
                pass
            else:
                return self._call_short(made, timeout, metadata, wait_for_ready)
        return self._call_short(
            clients.request_of(
                "test.awkward.a_package_whose_name.goes_on_and_on.and_does_not_come_to_an_end.AServiceWithANameThatIsLongerThanAnyServiceShouldHave.Short",
                long_names_pb2.Some,
                request,
                {
                    "a_name_of_thirty_characters": a_name_of_thirty_characters,
                    "one_of_twenty_chars": one_of_twenty_chars,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )


class AServiceWithANameThatIsLongerThanAnyServiceShouldHaveAioClient(clients.AioClient):
    """Calls test.awkward.a_package_whose_name.goes_on_and_on.and_does_not_come_to_an_end.AServiceWithANameThatIsLongerThanAnyServiceShouldHave. Methods are awaited."""

    SERVICE = "test.awkward.a_package_whose_name.goes_on_and_on.and_does_not_come_to_an_end.AServiceWithANameThatIsLongerThanAnyServiceShouldHave"

    def _bind_methods(self, binder: clients.AioBinder) -> None:
        self._call_find_the_things_that_somebody_with_a_lot_of_patience_has_given_names_to = binder.unary_unary(
            "/test.awkward.a_package_whose_name.goes_on_and_on.and_does_not_come_to_an_end.AServiceWithANameThatIsLongerThanAnyServiceShouldHave/FindTheThingsThatSomebodyWithALotOfPatienceHasGivenNamesTo",
            long_names_pb2.AMessageWithANameOfMoreThanFortyCharacters,
            long_names_pb2.AMessageWithANameOfMoreThanFortyCharacters.AndAnotherOneInsideThatIsNoShorterThanIt,
        )
        self._call_stream_the_things_that_somebody_with_a_lot_of_patience_has_given_names_to = binder.stream_stream(
            "/test.awkward.a_package_whose_name.goes_on_and_on.and_does_not_come_to_an_end.AServiceWithANameThatIsLongerThanAnyServiceShouldHave/StreamTheThingsThatSomebodyWithALotOfPatienceHasGivenNamesTo",
            long_names_pb2.AMessageWithANameOfMoreThanFortyCharacters,
            long_names_pb2.AMessageWithANameOfMoreThanFortyCharacters.AndAnotherOneInsideThatIsNoShorterThanIt,
        )
        self._call_short = binder.unary_unary(
            "/test.awkward.a_package_whose_name.goes_on_and_on.and_does_not_come_to_an_end.AServiceWithANameThatIsLongerThanAnyServiceShouldHave/Short",
            long_names_pb2.Some,
            long_names_pb2.Some,
        )

    async def find_the_things_that_somebody_with_a_lot_of_patience_has_given_names_to(
        self,
        request: long_names_pb2.AMessageWithANameOfMoreThanFortyCharacters
        | None = None,
        /,
        *,
        a_single_field_with_a_long_name: long_names_pb2.AMessageWithANameOfMoreThanFortyCharacters.AndAnotherOneInsideThatIsNoShorterThanIt
        | Mapping[str, Any]
        | None = None,
        a_repeated_field_with_a_long_name: Iterable[
            long_names_pb2.AMessageWithANameOfMoreThanFortyCharacters.AndAnotherOneInsideThatIsNoShorterThanIt
            | Mapping[str, Any]
        ]
        | None = None,
        a_map_with_a_long_name: Mapping[
            str,
            long_names_pb2.AMessageWithANameOfMoreThanFortyCharacters.AndAnotherOneInsideThatIsNoShorterThanIt
            | Mapping[str, Any],
        ]
        | None = None,
        more_of_the_same: Iterable[
            long_names_pb2.AMessageWithANameOfMoreThanFortyCharacters
            | Mapping[str, Any]
        ]
        | None = None,
        named_more_of_the_same: Mapping[
            str,
            long_names_pb2.AMessageWithANameOfMoreThanFortyCharacters
            | Mapping[str, Any],
        ]
        | None = None,
        a_field_whose_name_has_far_more_than_the_eighty_eight_characters_that_fit_on_a_line_of_a_file: str
        | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> long_names_pb2.AMessageWithANameOfMoreThanFortyCharacters.AndAnotherOneInsideThatIsNoShorterThanIt:
        """Calls test.awkward.a_package_whose_name.goes_on_and_on.and_does_not_come_to_an_end.AServiceWithANameThatIsLongerThanAnyServiceShouldHave.FindTheThingsThatSomebodyWithALotOfPatienceHasGivenNamesTo."""
        return await self._call_find_the_things_that_somebody_with_a_lot_of_patience_has_given_names_to(
            clients.request_of(
                "test.awkward.a_package_whose_name.goes_on_and_on.and_does_not_come_to_an_end.AServiceWithANameThatIsLongerThanAnyServiceShouldHave.FindTheThingsThatSomebodyWithALotOfPatienceHasGivenNamesTo",
                long_names_pb2.AMessageWithANameOfMoreThanFortyCharacters,
                request,
                {
                    "a_single_field_with_a_long_name": a_single_field_with_a_long_name,
                    "a_repeated_field_with_a_long_name": a_repeated_field_with_a_long_name,
                    "a_map_with_a_long_name": a_map_with_a_long_name,
                    "more_of_the_same": more_of_the_same,
                    "named_more_of_the_same": named_more_of_the_same,
                    "a_field_whose_name_has_far_more_than_the_eighty_eight_characters_that_fit_on_a_line_of_a_file": a_field_whose_name_has_far_more_than_the_eighty_eight_characters_that_fit_on_a_line_of_a_file,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def stream_the_things_that_somebody_with_a_lot_of_patience_has_given_names_to(
        self,
        requests: AsyncIterable[
            long_names_pb2.AMessageWithANameOfMoreThanFortyCharacters
        ]
        | Iterable[long_names_pb2.AMessageWithANameOfMoreThanFortyCharacters],
        /,
        *,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> clients.AioStream[
        long_names_pb2.AMessageWithANameOfMoreThanFortyCharacters.AndAnotherOneInsideThatIsNoShorterThanIt
    ]:
        """Calls test.awkward.a_package_whose_name.goes_on_and_on.and_does_not_come_to_an_end.AServiceWithANameThatIsLongerThanAnyServiceShouldHave.StreamTheThingsThatSomebodyWithALotOfPatienceHasGivenNamesTo."""
        return self._call_stream_the_things_that_somebody_with_a_lot_of_patience_has_given_names_to(
            requests,
            timeout,
            metadata,
            wait_for_ready,
        )

    async def short(
        self,
        request: long_names_pb2.Some | None = None,
        /,
        *,
        a_name_of_thirty_characters: str | None = None,
        one_of_twenty_chars: str | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> long_names_pb2.Some:
        """Calls test.awkward.a_package_whose_name.goes_on_and_on.and_does_not_come_to_an_end.AServiceWithANameThatIsLongerThanAnyServiceShouldHave.Short."""
        if request is None and a_name_of_thirty_characters is None:
            made = long_names_pb2.Some()
            try:
                if one_of_twenty_chars is not None:
                    made.one_of_twenty_chars = one_of_twenty_chars
            except (TypeError, ValueError):
                pass
            else:
                return await self._call_short(made, timeout, metadata, wait_for_ready)
        return await self._call_short(
            clients.request_of(
                "test.awkward.a_package_whose_name.goes_on_and_on.and_does_not_come_to_an_end.AServiceWithANameThatIsLongerThanAnyServiceShouldHave.Short",
                long_names_pb2.Some,
                request,
                {
                    "a_name_of_thirty_characters": a_name_of_thirty_characters,
                    "one_of_twenty_chars": one_of_twenty_chars,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )
