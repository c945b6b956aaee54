"""course: whole trades that a replay passes over at once, while nothing but them can happen.

A *solo trade*: the account is flat and nothing is on its way, paused, halted or cooling; the condition of one entry of one
strategy in one instrument holds; its order at market passes every constraint as it is; it fills at the next open, and its stop
or target closes it before anything else could be decided.

1. `tb.replay.course.terms`: whether a plan has such trades at all, and what is constant about them.
2. `tb.replay.course.paths`: a compiled kernel finds, trade after trade, where one is decided, filled and closed, and at which
   prices, in whole numbers.
3. `tb.replay.course.chain`: cash from trade to trade, as the session would have it digit for digit: by a kernel in whole
   numbers of 128 bits (`money`, `wide`), and by the session's own operations where these would round. Columns of `numbers`
   become Decimals where somebody reads them.
4. `tb.replay.course.orders`: which of the orders surely pass every constraint (`judging`); where that is not sure, the gate is
   asked. One that is refused is a row that moves nothing, and the course goes on behind it.
   What they read of the account's past follows from the trades before them (`past`). Limits that are watched while a trade is
   held have to pass between the least and the most that its bars come to (`watching`); a trade that may break one is stepped.
5. `tb.replay.course.told`: the records of all of it, in the order in which stepping would have made them.
6. `tb.replay.course.passing`: puts these together, and leaves session and account as stepping would have left them.

INVARIANT: the records are byte for byte those of stepping, except for the last bit of points of the equity curve, which are
floats there too. What is not certain ends a course before the trade that it is about, and the session takes over.
"""
