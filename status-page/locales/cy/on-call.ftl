# Calendr y rhai sydd ar alw.

on-call = Ar alw: { $what }
on-call-turn = Ar alw: { $who } ({ $rota })
on-call-override = Yn cymryd lle rhywun, drwy newid dros dro i’r rota.
on-call-cancelled = Ddim bellach: newidiwyd y rota.
