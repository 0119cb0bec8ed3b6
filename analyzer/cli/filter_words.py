"""A filter in words: what has to be true of a packet, one sentence for each test, indented below the logic that joins them."""

from collections.abc import Iterator

from analyzer.filters.filter_tree import constant_text
from analyzer.filters.typed_tree import (
    CompareTest,
    Constant,
    ContainsTest,
    ExistsTest,
    FieldValues,
    LogicTest,
    MatchesTest,
    MemberTest,
    NotTest,
    SliceOf,
    TypedEntity,
    TypedTest,
)
from analyzer.text.language import Sentences, say
from analyzer.text.punctuation import beside, listing

_ANY: Sentences = {
    "==": "a value of {left} is {right}",
    "!=": "a value of {left} is not {right}",
    "<": "a value of {left} is less than {right}",
    "<=": "a value of {left} is at most {right}",
    ">": "a value of {left} is greater than {right}",
    ">=": "a value of {left} is at least {right}",
}
_EVERY: Sentences = {
    "==": "every value of {left} is {right}",
    "!=": "no value of {left} is {right}, and there is one",
    "<": "every value of {left} is less than {right}",
    "<=": "every value of {left} is at most {right}",
    ">": "every value of {left} is greater than {right}",
    ">=": "every value of {left} is at least {right}",
}
_NETWORK: Sentences = {
    "==": "a value of {left} is in the network {right}",
    "!=": "a value of {left} is not in the network {right}",
}
_EVERY_NETWORK: Sentences = {
    "==": "every value of {left} is in the network {right}",
    "!=": "no value of {left} is in the network {right}, and there is one",
}


class FilterWords:
    """Says what a filter asks. text: the expression that the tree was made of."""

    def __init__(self, text: str) -> None:
        self._text = text

    def lines(self, test: TypedTest, depth: int = 0) -> Iterator[tuple[int, str]]:
        """Yield the sentences of a test, each with its depth."""
        if isinstance(test, LogicTest):
            yield depth, self._logic(test)
            for part in test.parts:
                yield from self.lines(part, depth + 1)
        elif isinstance(test, NotTest):
            yield depth, say("this is not so:")
            yield from self.lines(test.of, depth + 1)
        else:
            yield depth, self._test(test)

    def _logic(self, test: LogicTest) -> str:
        if test.operator == "and":
            return say("all of this is so:")
        if test.operator == "or":
            return say("at least one of these is so:")
        return say("exactly one of these is so:") if len(test.parts) == 2 else say("an odd number of these is so:")

    def _test(self, test: ExistsTest | CompareTest | ContainsTest | MatchesTest | MemberTest) -> str:
        if isinstance(test, ExistsTest):
            return self._exists(test.of)
        if isinstance(test, CompareTest):
            left, right = self._name(test.left), self._name(test.right)
            if isinstance(test.right, Constant) and test.right.mask is not None and test.operator in _NETWORK:
                return say((_EVERY_NETWORK if test.every else _NETWORK)[test.operator], left=left, right=right)
            return say((_EVERY if test.every else _ANY)[test.operator], left=left, right=right)
        if isinstance(test, ContainsTest):
            left, right = self._name(test.left), self._name(test.right)
            if test.every:
                return say("every value of {left} contains {right}", left=left, right=right)
            return say("a value of {left} contains {right}", left=left, right=right)
        if isinstance(test, MatchesTest):
            pattern = test.pattern.source.decode("utf-8", "backslashreplace")
            if test.every:
                return say("every value of {left} matches the pattern {pattern}", left=self._name(test.left), pattern=pattern)
            return say("a value of {left} matches the pattern {pattern}", left=self._name(test.left), pattern=pattern)
        return self._member(test)

    def _exists(self, of: TypedEntity) -> str:
        if isinstance(of, FieldValues):
            return say("{field} is present", field=self._name(of))
        if isinstance(of, SliceOf):
            return say("{part} is not empty", part=self._name(of))
        return say("{value} is not zero", value=self._name(of))

    def _member(self, test: MemberTest) -> str:
        shown = []
        for one in test.elements:
            if isinstance(one, tuple):
                shown.append(say("{low} to {high}", low=self._name(one[0]), high=self._name(one[1])))
            else:
                shown.append(self._name(one))
        member, values = self._name(test.member), listing(shown)
        if test.negated and test.every:
            return say("{member} is present, and not all its values are one of: {values}", member=member, values=values)
        if test.negated:
            return say("{member} is present, and no value of it is one of: {values}", member=member, values=values)
        if test.every:
            return say("every value of {member} is one of: {values}", member=member, values=values)
        return say("a value of {member} is one of: {values}", member=member, values=values)

    def _name(self, entity: TypedEntity) -> str:
        """Return a field with its label, a literal as its value, and everything else as it is written."""
        written = self._text[entity.node.at : entity.node.end]
        if isinstance(entity, FieldValues):
            return beside(written, entity.use.field.label)
        if not isinstance(entity, Constant):
            return written
        value = constant_text(entity)
        return value if value.startswith('"') or written == value else beside(value, written)
