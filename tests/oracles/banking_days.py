"""Writes fixtures/banking_holidays.csv: weekdays of 2024 to 2035 that are public holidays in both NSW and Victoria.

    pip install holidays==0.109 && python3 banking_days.py

The tests read the committed file; this script is only needed to make it anew.
"""
import datetime
import pathlib

import holidays

years = range(2024, 2036)
nsw = holidays.Australia(subdiv="NSW", years=years)
vic = holidays.Australia(subdiv="VIC", years=years)
both = sorted(day for day in set(nsw) & set(vic) if day.weekday() < 5)
out = pathlib.Path(__file__).parent / "fixtures" / "banking_holidays.csv"
out.write_text("date,name\n" + "".join(f"{day},{nsw[day].replace(',', ';')}\n" for day in both))
