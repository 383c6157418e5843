# ruff: noqa
# fmt: off
# pyright: basic, reportSelfClsParameterName=false, reportGeneralTypeIssues=false
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import Any as _Any, ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AMessageWithANameOfMoreThanFortyCharacters(_message.Message):
    __slots__ = ("a_single_field_with_a_long_name", "a_repeated_field_with_a_long_name", "a_map_with_a_long_name", "more_of_the_same", "named_more_of_the_same", "a_field_whose_name_has_far_more_than_the_eighty_eight_characters_that_fit_on_a_line_of_a_file")
    class AndAnotherOneInsideThatIsNoShorterThanIt(_message.Message):
        __slots__ = ("x",)
        X_FIELD_NUMBER: _ClassVar[int]
        x: int
        def __init__(self, x: _Optional[int] = ...) -> None: ...
    class AMapWithALongNameEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: AMessageWithANameOfMoreThanFortyCharacters.AndAnotherOneInsideThatIsNoShorterThanIt
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[AMessageWithANameOfMoreThanFortyCharacters.AndAnotherOneInsideThatIsNoShorterThanIt, _Mapping[str, _Any]]] = ...) -> None: ...
    class NamedMoreOfTheSameEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: AMessageWithANameOfMoreThanFortyCharacters
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[AMessageWithANameOfMoreThanFortyCharacters, _Mapping[str, _Any]]] = ...) -> None: ...
    A_SINGLE_FIELD_WITH_A_LONG_NAME_FIELD_NUMBER: _ClassVar[int]
    A_REPEATED_FIELD_WITH_A_LONG_NAME_FIELD_NUMBER: _ClassVar[int]
    A_MAP_WITH_A_LONG_NAME_FIELD_NUMBER: _ClassVar[int]
    MORE_OF_THE_SAME_FIELD_NUMBER: _ClassVar[int]
    NAMED_MORE_OF_THE_SAME_FIELD_NUMBER: _ClassVar[int]
    A_FIELD_WHOSE_NAME_HAS_FAR_MORE_THAN_THE_EIGHTY_EIGHT_CHARACTERS_THAT_FIT_ON_A_LINE_OF_A_FILE_FIELD_NUMBER: _ClassVar[int]
    a_single_field_with_a_long_name: AMessageWithANameOfMoreThanFortyCharacters.AndAnotherOneInsideThatIsNoShorterThanIt
    a_repeated_field_with_a_long_name: _containers.RepeatedCompositeFieldContainer[AMessageWithANameOfMoreThanFortyCharacters.AndAnotherOneInsideThatIsNoShorterThanIt]
    a_map_with_a_long_name: _containers.MessageMap[str, AMessageWithANameOfMoreThanFortyCharacters.AndAnotherOneInsideThatIsNoShorterThanIt]
    more_of_the_same: _containers.RepeatedCompositeFieldContainer[AMessageWithANameOfMoreThanFortyCharacters]
    named_more_of_the_same: _containers.MessageMap[str, AMessageWithANameOfMoreThanFortyCharacters]
    a_field_whose_name_has_far_more_than_the_eighty_eight_characters_that_fit_on_a_line_of_a_file: str
    def __init__(self, a_single_field_with_a_long_name: _Optional[_Union[AMessageWithANameOfMoreThanFortyCharacters.AndAnotherOneInsideThatIsNoShorterThanIt, _Mapping[str, _Any]]] = ..., a_repeated_field_with_a_long_name: _Optional[_Iterable[_Union[AMessageWithANameOfMoreThanFortyCharacters.AndAnotherOneInsideThatIsNoShorterThanIt, _Mapping[str, _Any]]]] = ..., a_map_with_a_long_name: _Optional[_Mapping[str, AMessageWithANameOfMoreThanFortyCharacters.AndAnotherOneInsideThatIsNoShorterThanIt]] = ..., more_of_the_same: _Optional[_Iterable[_Union[AMessageWithANameOfMoreThanFortyCharacters, _Mapping[str, _Any]]]] = ..., named_more_of_the_same: _Optional[_Mapping[str, AMessageWithANameOfMoreThanFortyCharacters]] = ..., a_field_whose_name_has_far_more_than_the_eighty_eight_characters_that_fit_on_a_line_of_a_file: _Optional[str] = ...) -> None: ...

class Some(_message.Message):
    __slots__ = ("a_name_of_thirty_characters", "one_of_twenty_chars")
    A_NAME_OF_THIRTY_CHARACTERS_FIELD_NUMBER: _ClassVar[int]
    ONE_OF_TWENTY_CHARS_FIELD_NUMBER: _ClassVar[int]
    a_name_of_thirty_characters: str
    one_of_twenty_chars: str
    def __init__(self, a_name_of_thirty_characters: _Optional[str] = ..., one_of_twenty_chars: _Optional[str] = ...) -> None: ...
