"""What a V01 export must come to, straight from the data notes: v01_expected.py deals.csv members.csv > expected.json"""
import csv, json, re, sys
from calendar import monthrange
from collections import Counter
from datetime import date
from fractions import Fraction as F

def half_away(x): return int(abs(x) + F(1, 2)) * (1 if x >= 0 else -1)
def months(d, n):
    y, m = divmod(d.year * 12 + d.month - 1 + n, 12)
    return date(y, m + 1, min(d.day, monthrange(y, m + 1)[1]))
def day(t): return date.fromisoformat(t) if t else None
def cents(t):
    if not t: return None
    if not re.fullmatch(r"\d[\d,]*(\.\d{1,2})?", t): raise ValueError(t)
    return int(F(t.replace(",", "")) * 100)
def valid(r, members):
    if len(r) != 10: raise ValueError("columns")
    if r[1] not in members or r[3] not in ("VARIABLE-OO", "FIXED-3Y"): raise ValueError("unknown")
    ds = [day(r[i]) for i in (4, 5, 6, 9)]
    a, o = cents(r[7]), cents(r[8])
    known = [d for d in ds if d]
    if known != sorted(known) or not ds[0]: raise ValueError("order")
    if (ds[2] is None) != (a is None) or (ds[3] and not ds[2]) or (a is not None and (o or 0) > a): raise ValueError("amount")
    return (r[1], *ds, a, o or 0)

def main(deals, members):
    up = {r[0]: r[1] or None for r in list(csv.reader(open(members, encoding="utf-8-sig", newline="")))[1:] if r}
    rows = list(csv.reader(open(deals, encoding="utf-8-sig", newline="")))[1:]
    good, refused = {}, set()
    for r in rows:
        try: good[r[0]] = valid(r, up)
        except ValueError: refused.add(r[0])
    detail, stages, people, net, total = {}, Counter(), {}, 0, 0
    for ref, (m, _, con, setl, dis, a, o) in good.items():
        if not setl:
            stages["contracted" if con else "referred"] += 1
            continue
        whole = half_away(F(a - o) * F(65, 10000))
        parts = [whole * w // 100 for w in (60, 10, 30)]
        order = sorted(range(3), key=lambda i: (-(whole * (60, 10, 30)[i] % 100), i))
        for i in order[: whole - sum(parts)]: parts[i] += 1
        if not up[m]: parts = [parts[0], 0, parts[2] + parts[1]]
        over = max(0, parts[0] - 600000)
        parts = [parts[0] - over, parts[1], parts[2] + over]
        back = F(0)
        if dis: back = F(1) if dis < months(setl, 12) else F(1, 2) if dis < months(setl, 18) else F(0)
        claw = {}
        for who, p in zip((m, up[m], "platform"), parts):
            if who is None: continue
            c = claw[who] = half_away(p * back)
            if who == "platform": net += p - c
            else:
                e = people.setdefault(who, {"clawed_back": 0, "earned": 0, "upline": up[who]})
                e["earned"] += p; e["clawed_back"] += c
        total += whole
        stages["reversed" if back else "settled"] += 1
        detail[ref] = {"clawback": claw, "member": parts[0], "platform": parts[2], "upfront": whole, "upline": parts[1]}
    return {"deals": len(good), "deals_detail": detail, "members": people, "platform_net": net, "refused": sorted(refused),
            "rows": len(rows), "stages": dict(stages), "upfront_total": total}

print(json.dumps(main(*sys.argv[1:3]), indent=1, sort_keys=True))
