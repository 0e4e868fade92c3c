# Y golwg ar gyfer sgrin tîm.
wall = Ar gyfer sgrin ar y wal
wall-refresh = Diweddarir y golwg hwn ohono’i hun.
wall-leave = Gadewch ef am y dudalen sy’n aros fel y mae
wall-lost = Ni chlywyd gan y wefan hon ers tro: mae’r hyn sydd yma mor hen ag y mae’n ei ddweud.
