# The calendar of who is on call.

on-call = On call: { $what }
on-call-turn = On call: { $who } ({ $rota })
on-call-override = Stands in, by an override of the rota.
on-call-cancelled = Not any more: the rota was changed.
