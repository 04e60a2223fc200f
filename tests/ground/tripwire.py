"""A tripwire for queries without an owner: whatever a request asks of rows that belong to somebody says whose it wants.

While the test's own client has a request answered, every SELECT, UPDATE and DELETE is looked at before it is sent.  A
table that belongs to somebody (all but those in `NOBODYS`) must be *pinned* by the statement's own conditions:

- to an owner or a parent: one of its foreign keys, or its own key, equals (or is among) given values,
- to a secret that names one row (`SECRETS`: the hash of a token, the token of a link),
- to a row of another table that is pinned itself (joins, `IN (SELECT …)`, correlated subqueries),
- to what everybody may see (`SHOWN`: approved groups, listings that were published),
- or to a condition of `access.Scope`, or `access.whole_market("why")`, which say that all rows are meant.

Conditions count when they hold for every row (joined by AND; of an OR, every side must pin).  A name, a number or a
slug is no pin: whoever guesses it would see the row, and a check afterwards is a check that somebody forgets.  Jobs
and commands are not looked at: they act for the market and answer to nobody.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from sqlalchemy import Delete, Select, Table, Update, event
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import (
    AsBoolean,
    BinaryExpression,
    BindParameter,
    BooleanClauseList,
    ClauseElement,
    ColumnClause,
    ColumnElement,
    Grouping,
)
from sqlalchemy.sql.functions import Function
from sqlalchemy.sql.schema import Column
from sqlalchemy.sql.selectable import (
    CTE,
    Alias,
    CompoundSelect,
    Exists,
    FromClause,
    Join,
    ScalarSelect,
    Subquery,
)
from starlette.types import ASGIApp, Receive, Scope, Send

from app.access import WholeMarket

NOBODYS: Final = frozenset(
    {
        "attempts",  # tries at a door, named by what is tried
        "centers",  # the network's public face
        "fee_rules",  # public rules
        "holds",  # amounts that are taken, by whom no page says
        "jobs",  # the market's own work; staff see those that failed
        "provider_events",  # what Stripe told the market; staff see those that failed
        "pools",  # amounts without a name; reached through variants
    }
)
SECRETS: Final = frozenset(
    {
        "api_answers.caller",
        "api_tokens.secret_hash",
        "baskets.token_hash",
        "invitations.token_hash",
        "orders.link_token",
        "orders.once_token",
        "people.email",  # what people sign in with; a password follows
        "people.phone",
        "sign_ins.token_hash",
    }
)
OWNERS: Final = frozenset(
    {
        "api_calls.who",
        "holds.owner_id",
        "ledger_entries.order_id",
        "ledger_facts.key",
        "payments.key",
        "refund_tasks.provider_refund_id",
        "orders.receiver_id",
        "trail.person_id",
        "trail.group_id",
        "trail.center_id",
    }
)
"""Columns that name an owner or parent without a foreign key."""
SHOWN: Final = frozenset(
    {
        "groups.state = 'approved'",
        "listings.state = 'on_sale'",
        "listings.published_at IS NOT NULL",
    }
)
"""Which rows everybody may see."""

STATES: Final = {"approved", "on_sale"}
"""Values that decide whether a condition pins."""

_judged: dict[Any, list[str]] = {}
_is_asking: ContextVar[bool] = ContextVar("is_asking", default=False)


class Watched:
    """The application, with every statement of its requests looked at."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        token = _is_asking.set(True)
        try:
            await self.app(scope, receive, send)
        finally:
            _is_asking.reset(token)


@contextmanager
def tripwire(engine: AsyncEngine) -> Iterator[list[str]]:
    """Note every statement of a request that is not pinned; they stand in the list that is yielded."""
    found: list[str] = []

    def look(_connection: Connection, statement: Any, *_rest: Any) -> None:
        if _is_asking.get() and isinstance(statement, Select | CompoundSelect | Update | Delete):
            found.extend(f"{table} without an owner in: {statement}" for table in unpinned(statement))

    event.listen(engine.sync_engine, "before_execute", look)
    try:
        yield found
    finally:
        event.remove(engine.sync_engine, "before_execute", look)


def unpinned(statement: ClauseElement) -> list[str]:
    """Return the names of the tables in a statement that it does not pin; statements of one shape are judged once."""
    key = statement._generate_cache_key()
    if key is None:
        return sorted(set(_loose(statement, frozenset())))
    shape = (key.key, tuple(str(bound.value) if str(bound.value) in STATES else "" for bound in key.bindparams))
    if shape not in _judged:
        _judged[shape] = sorted(set(_loose(statement, frozenset())))
    return _judged[shape]


def _loose(statement: Any, outside: frozenset[FromClause]) -> Iterator[str]:
    """Names of loose tables; `outside` are the pinned ones of the statements around this one."""
    if isinstance(statement, CompoundSelect):
        for each in statement.selects:
            yield from _loose(each, outside)
        return
    if not isinstance(statement, Select | Update | Delete):  # brackets around one
        yield from _loose(statement.element, outside)
        return
    froms, conditions = _parts(statement)
    if any(isinstance(each, WholeMarket) for each in conditions):
        return
    pinned = _pinned(froms, conditions, outside)
    yield from (_name(each) for each in froms if each not in pinned and _name(each) not in NOBODYS)
    for inner in _inner(statement):
        yield from _loose(inner, outside | pinned)


def _parts(statement: Select[Any] | Update | Delete) -> tuple[list[FromClause], list[ColumnElement[Any]]]:
    """The tables a statement reads or changes, and the conditions that hold for all its rows."""
    froms: list[FromClause] = []
    conditions: list[ColumnElement[Any]] = []
    whole = statement.get_final_froms() if isinstance(statement, Select) else [statement.table]
    for each in whole:
        _unfold(each, froms, conditions)
    if statement.whereclause is not None:
        conditions += _conjuncts(statement.whereclause)
    return froms, conditions


def _unfold(each: FromClause, froms: list[FromClause], conditions: list[ColumnElement[Any]]) -> None:
    if isinstance(each, Join):
        _unfold(each.left, froms, conditions)
        _unfold(each.right, froms, conditions)
        if each.onclause is not None:
            conditions += _conjuncts(each.onclause)
    else:
        froms.append(each)


def _conjuncts(clause: ColumnElement[Any]) -> list[ColumnElement[Any]]:
    clause = _bare(clause)
    if isinstance(clause, BooleanClauseList) and clause.operator is operators.and_:
        return [part for each in clause.clauses for part in _conjuncts(each)]
    return [clause]


def _bare(clause: Any) -> Any:
    return _bare(clause.element) if isinstance(clause, Grouping | AsBoolean) else clause


def _name(each: FromClause) -> str:
    """The table's own name, whatever it is called here; nothing for a derived one, which is looked at by itself."""
    while isinstance(each, Alias):
        each = each.element
    return each.name if isinstance(each, Table) else ""


def _pinned(
    froms: list[FromClause], conditions: list[ColumnElement[Any]], outside: frozenset[FromClause]
) -> frozenset[FromClause]:
    """Of these tables and those outside, the ones with an owner; what is joined to one of them has one, too."""
    pinned = outside | {each for each in froms if not _name(each)}
    while True:
        more = {each for each in froms if each not in pinned and any(_pins(c, each, pinned) for c in conditions)}
        if not more:
            break
        pinned |= more
    return pinned if len(pinned) == len(outside | {*froms}) else pinned | _either(froms, conditions, outside)


def _either(
    froms: list[FromClause], conditions: list[ColumnElement[Any]], outside: frozenset[FromClause]
) -> frozenset[FromClause]:
    """What every side of an OR pins, each in its own way: a row joined together is somebody's through any of its parts."""
    found: frozenset[FromClause] = frozenset()
    for condition in conditions:
        if isinstance(condition, BooleanClauseList) and condition.operator is operators.or_:
            others = [each for each in conditions if each is not condition]
            sides = [_pinned(froms, [*others, *_conjuncts(side)], outside) for side in condition.clauses]
            found |= frozenset.intersection(*sides)
    return found


def _pins(condition: Any, table: FromClause, pinned: frozenset[FromClause]) -> bool:
    """Whether the condition leaves only rows of `table` that somebody is entitled to."""
    condition = _bare(condition)
    if isinstance(condition, WholeMarket):
        return True
    if isinstance(condition, BooleanClauseList):
        every = all if condition.operator is operators.or_ else any
        return every(_pins(each, table, pinned) for each in condition.clauses)
    if not isinstance(condition, BinaryExpression):
        return False
    left, right = _bare(condition.left), _bare(condition.right)
    if _is_shown(condition, left, table) or _is_no_row(condition, left, table):
        return True
    if condition.operator in {operators.eq, operators.is_not_distinct_from}:
        return _equals(left, right, table, pinned) or _equals(right, left, table, pinned)
    return condition.operator is operators.in_op and _equals(left, right, table, pinned)


def _equals(column: Any, value: Any, table: FromClause, pinned: frozenset[FromClause]) -> bool:
    if isinstance(column, Function) and column.name == "lower":
        (column,) = column.clauses
    if not isinstance(column, Column) or column.table != table or not _is_key(column):
        return False
    return value.table in pinned if isinstance(value, ColumnClause) and value.table is not None else True


def _is_shown(condition: BinaryExpression[Any], column: Any, table: FromClause) -> bool:
    if not isinstance(column, Column) or column.table != table:
        return False
    said = condition.right.value if isinstance(condition.right, BindParameter) else condition.right
    operator = {operators.eq: "=", operators.is_not: "IS NOT"}.get(condition.operator)
    value = f"'{said}'" if isinstance(said, str) else str(said)
    return f"{_name(table)}.{column.name} {operator} {value}" in SHOWN


def _is_no_row(condition: BinaryExpression[Any], column: Any, table: FromClause) -> bool:
    """A row's own key that is not known: no row has it."""
    is_own_key = isinstance(column, Column) and column.primary_key and column.table == table
    return is_own_key and condition.operator is operators.is_


def _is_key(column: Column[Any]) -> bool:
    name = f"{_name(column.table)}.{column.name}"
    return column.primary_key or bool(column.foreign_keys) or name in SECRETS | OWNERS


def _inner(statement: Any) -> Iterator[Any]:
    """The statements inside a statement: derived tables, CTEs, EXISTS, scalar subqueries, IN (SELECT …)."""
    stack = list(statement.get_children())
    while stack:
        each = stack.pop()
        if isinstance(each, Subquery | CTE | ScalarSelect | Exists):
            yield each.element
        elif isinstance(each, Select | CompoundSelect):
            yield each
        else:
            stack.extend(each.get_children())
