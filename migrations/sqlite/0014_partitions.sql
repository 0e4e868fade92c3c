-- From here on PostgreSQL's tables have partitions. A file of SQLite gives back what is free by itself: nothing changes.
SELECT 1;
