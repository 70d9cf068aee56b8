/* What the machine itself can do: sums of prices times quantities, and one pass of figures, on one core.
 *
 *     cc -O3 -march=native -ffast-math limit.c -o limit -lm && ./limit 1000
 *
 * Prints the milliseconds of the processor per portfolio. No ledger, no dates, no money-weighted return. */
#define _POSIX_C_SOURCE 200112L
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ASSETS = 2000, DAYS = 2520, POSITIONS = 50, GROUP = 5 };

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return now.tv_sec + now.tv_nsec * 1e-9;
}

static double figures(const double *value, double *returns) {
    double mean = 0, spread = 0, below = 0, wealth = 1, peak = 1, deepest = 0;
    for (int day = 1; day < DAYS; day++) {
        returns[day] = value[day] / value[day - 1] - 1;
        mean += returns[day];
    }
    mean /= DAYS - 1;
    for (int day = 1; day < DAYS; day++) {
        double off = returns[day] - mean, loss = fmin(returns[day], 0);
        spread += off * off;
        below += loss * loss;
        wealth = value[day] / value[0];
        peak = fmax(peak, wealth);
        deepest = fmin(deepest, wealth / peak - 1);
    }
    return spread + below + deepest;
}

int main(int count, char **words) {
    int portfolios = count > 1 ? atoi(words[1]) : 1000;
    double *prices = malloc(sizeof(double) * ASSETS * DAYS), *value = malloc(sizeof(double) * DAYS),
           *returns = malloc(sizeof(double) * DAYS), sink = 0;
    int *held = malloc(sizeof(int) * portfolios * POSITIONS);
    double *units = malloc(sizeof(double) * portfolios * POSITIONS);
    if (!prices || !value || !returns || !held || !units) return 1;
    for (long i = 0; i < (long)ASSETS * DAYS; i++) prices[i] = 50 + rand() % 1000 * 0.1;
    for (int i = 0; i < portfolios * POSITIONS; i++) held[i] = rand() % ASSETS, units[i] = 1 + rand() % 200;
    double started = seconds();
    for (int p = 0; p < portfolios; p++) {
        memset(value, 0, sizeof(double) * DAYS);
        for (int k = p * POSITIONS; k < (p + 1) * POSITIONS; k += GROUP) {
            const double *column[GROUP];
            for (int g = 0; g < GROUP; g++) column[g] = prices + (long)held[k + g] * DAYS;
            for (int day = 0; day < DAYS; day++)
                for (int g = 0; g < GROUP; g++) value[day] += units[k + g] * column[g][day];
        }
        sink += figures(value, returns);
    }
    printf("%.6f\n", (seconds() - started) * 1e3 / portfolios);
    return sink == 0.5;
}
