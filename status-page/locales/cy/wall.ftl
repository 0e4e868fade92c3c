# Y golwg ar gyfer sgrin tîm.
wall = Ar gyfer sgrin ar y wal
wall-refresh = Diweddarir y golwg hwn ohono’i hun.
wall-leave = Ewch i’r dudalen arferol
wall-lost = Ni chlywyd gan y wefan hon ers tro: mae’r hyn sydd yma mor hen ag y mae’n ei ddweud.
