// The pinball loss (Koenker and Bassett, "Regression quantiles", 1978): the one definition that scores, corrections,
// contests and training share.
#ifndef CRK_PINBALL_H
#define CRK_PINBALL_H

// The slope for a forecast of quantile `level` and `difference` = truth - forecast: times the difference it is the
// loss, and its negative is the derivative of the loss with respect to the forecast.
static inline float crk_pinball_slope(float level, float difference) { return difference > 0 ? level : level - 1; }

#endif
