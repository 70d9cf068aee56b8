#!/usr/bin/env python3
"""The figures of many portfolios in Python, the three ways in which such applications are written.

    OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 python figures.py --portfolios 200 --quantstats 40

Prints JSON: milliseconds of the processor per portfolio. `quantstats` is pandas with quantstats, one portfolio at a time (left
out where it is not installed); `numpy` the same by hand; `batch` all portfolios as matrices.
"""
import argparse
import json
import time
from datetime import date, timedelta

import numpy as np

ASSETS, DAYS, POSITIONS, DEPOSITS, YEAR = 2000, 2520, 50, 24, 252


def make_market(rng):
    common = rng.normal(0.0003, 0.010, DAYS)
    beta = rng.uniform(0.5, 1.5, (ASSETS, 1))
    noise = rng.normal(0.0, 0.015, (ASSETS, DAYS))
    return 100 * np.exp(np.cumsum(beta * common + noise, axis=1)), np.expm1(common)


def make_books(rng, count):
    books = []
    for _ in range(count):
        held = np.sort(rng.choice(ASSETS, POSITIONS, replace=False))
        units = rng.integers(1, 200, POSITIONS).astype(float)
        days = np.sort(rng.choice(np.arange(20, DAYS - 20), DEPOSITS, replace=False))
        books.append((held, units, days, rng.integers(100, 5000, DEPOSITS).astype(float)))
    return books


def sessions():
    day, days = date(2009, 1, 2), []
    while len(days) < DAYS:
        if day.weekday() < 5:
            days.append(day)
        day += timedelta(days=1)
    return days


def xirr(days, amounts):
    years = np.array([(day - days[0]).days for day in days]) / 365.0
    amounts, rate = np.asarray(amounts), 0.1
    for _ in range(50):
        growth = (1 + rate) ** -years
        value, slope = amounts @ growth, -(amounts * years) @ (growth / (1 + rate))
        step = value / slope
        rate = max(rate - step, -0.99)
        if abs(step) < 1e-12:
            break
    return rate


def flows(book):
    deposits = np.zeros(DAYS)
    deposits[book[2]] = book[3]
    return deposits


def money_weighted(book, values, calendar):
    days = [calendar[0], *(calendar[day] for day in book[2]), calendar[-1]]
    return xirr(days, [-values[0], *(-book[3]), values[-1]])


def figures(returns, benchmark):
    wealth = np.cumprod(1 + returns)
    drawdown = wealth / np.maximum.accumulate(np.maximum(wealth, 1)) - 1
    deviation, mean, cut = returns.std(ddof=1), returns.mean(), np.quantile(returns, 0.05)
    downside = np.sqrt((np.minimum(returns, 0) ** 2).mean())
    covariance = np.cov(returns, benchmark, ddof=1)
    beta = covariance[0, 1] / covariance[1, 1]
    return (
        wealth[-1] - 1, wealth[-1] ** (YEAR / len(returns)) - 1, deviation * YEAR**0.5, mean / deviation * YEAR**0.5,
        mean / downside * YEAR**0.5, drawdown.min(), -cut, -returns[returns <= cut].mean(), beta, (mean - beta * benchmark.mean()) * YEAR,
    )


def by_numpy(prices, benchmark, books, calendar):
    for book in books:
        values = prices[book[0]].T @ book[1] + np.cumsum(flows(book))
        returns = values[1:] / (values[:-1] + flows(book)[1:]) - 1
        figures(returns, benchmark[1:])
        money_weighted(book, values, calendar)


def by_quantstats(prices, benchmark, books, calendar):
    import pandas as pd
    from quantstats import stats

    index = pd.DatetimeIndex(calendar)
    frame, against = pd.DataFrame(prices.T, index=index), pd.Series(benchmark, index=index)
    for book in books:
        deposits = pd.Series(flows(book), index=index)
        values = (frame[book[0]] * book[1]).sum(axis=1) + deposits.cumsum()
        returns = (values / (values.shift(1) + deposits) - 1).dropna()
        for figure in (stats.comp, stats.cagr, stats.sharpe, stats.sortino, stats.calmar, stats.max_drawdown, stats.to_drawdown_series):
            figure(returns)
        for figure in (stats.volatility, stats.var, stats.cvar):
            figure(returns, prepare_returns=False)
        stats.greeks(returns, against, prepare_returns=False)
        money_weighted(book, values.to_numpy(), calendar)


def by_batch(prices, benchmark, books, calendar):
    units = np.zeros((len(books), ASSETS))
    deposits = np.zeros((len(books), DAYS))
    for row, book in enumerate(books):
        units[row, book[0]] = book[1]
        deposits[row] = flows(book)
    values = units @ prices + np.cumsum(deposits, axis=1)
    returns = values[:, 1:] / (values[:, :-1] + deposits[:, 1:]) - 1
    wealth = np.cumprod(1 + returns, axis=1)
    (wealth / np.maximum.accumulate(np.maximum(wealth, 1), axis=1) - 1).min(axis=1)
    returns.std(axis=1, ddof=1), returns.mean(axis=1), np.sqrt((np.minimum(returns, 0) ** 2).mean(axis=1))
    cuts = np.quantile(returns, 0.05, axis=1)
    [row[row <= cut].mean() for row, cut in zip(returns, cuts)]
    centred = benchmark[1:] - benchmark[1:].mean()
    (returns @ centred) / (centred @ centred)
    for book, row in zip(books, values):
        money_weighted(book, row, calendar)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--portfolios", type=int, default=200)
    arguments.add_argument("--quantstats", type=int, default=40)
    asked = arguments.parse_args()
    rng = np.random.default_rng(7)
    prices, benchmark = make_market(rng)
    books, calendar = make_books(rng, asked.portfolios), sessions()
    ways = {"numpy": (by_numpy, books), "batch": (by_batch, books), "quantstats": (by_quantstats, books[: asked.quantstats])}
    taken = {}
    for name, (way, some) in ways.items():
        started = time.process_time()
        try:
            way(prices, benchmark, some, calendar)
        except ImportError:
            continue
        taken[name] = (time.process_time() - started) / len(some) * 1e3
    print(json.dumps(taken))


if __name__ == "__main__":
    main()
