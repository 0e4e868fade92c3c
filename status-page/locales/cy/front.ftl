# Hidlydd y dudalen flaen.
filter-any = Pob un
filter-environment = Amgylchedd
filter-kind = Math
filter-team = Tîm y darparwr
filter-none = Nid oes unrhyw API yn cyfateb i’r hyn a ddewiswyd gennych.
