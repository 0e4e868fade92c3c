# The filter of the front page.
filter-any = All
filter-environment = Environment
filter-kind = Kind
filter-team = Provider team
filter-none = No API matches what you chose.
