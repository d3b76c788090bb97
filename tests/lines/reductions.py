"""Sums, extrema, averages, quantiles, norms: along axes, where, with initial values and dtypes."""

DTYPE = "<np.float64|np.float32|np.complex128|float|'f8'|np.longdouble>"
KEEP = "<|, axis=AXES><|, keepdims=True|, keepdims=False>"
LINES = {
    "x: ? c": f"""
np.<sum|prod>(x{KEEP}<|, dtype={DTYPE}><|, initial=<0.3|2|-1.0|np.float32(0.5)>><|, where=m>)
x.<sum|prod>(<axis=AXIS|><|, keepdims=True><|, initial=0.3><|, where=m>)
np.<nansum|nanprod>(np.where(m, x, np.nan){KEEP}<|, dtype={DTYPE}><|, initial=0.3><\
|, where=np.isfinite(x)>)
np.<mean|nanmean>(x{KEEP}<|, dtype={DTYPE}><|, where=m>)
x.<mean|std|var>(<axis=AXES|><|, keepdims=True><|, where=m>)
np.<std|var|nanstd|nanvar>(x{KEEP}<|, ddof=<0|1|0.5>><|, where=m>)
np.<std|var>(x{KEEP}<|, correction=1><|, dtype=np.float64>)
np.<std|var>(x<|, axis=0>, keepdims=True, mean=np.mean(x<|, axis=0>, keepdims=True))
np.<nanmean|nanstd|nanvar|nanmax|nanmin>(np.where(m, x, np.nan){KEEP})
np.<cumsum|cumprod|nancumsum|nancumprod>(x<|, axis=AXIS><|, dtype={DTYPE}>)
np.<nancumsum|nancumprod>(np.where(m, x, np.nan)<|, axis=AXIS>)
x.<cumsum|cumprod>(<|axis=AXIS>)
np.<cumulative_sum|cumulative_prod>(x<|, axis=AXIS><|, dtype={DTYPE}><|, include_initial=True>)
np.trace(x<|, offset=<1|-1|-5>><|, axis1=AXIS, axis2=AXIS><|, dtype=complex>)
np.apply_along_axis(lambda r: <r * r.sum()|r.sum()|np.outer(r, r)>, AXIS, x)
""",
    "x: ?": f"""
np.<max|min|amax|amin|nanmax|nanmin>(x{KEEP}<|, initial=<0.3|-9|9.5>><|, where=m>)
np.<max|min>(x{KEEP}, initial=0.1, where=m)
x.<max|min>(<axis=AXES|><|, keepdims=True>)
np.ptp(x{KEEP})
np.<median|nanmedian>(x{KEEP}<|, overwrite_input=False>)
np.nanmedian(np.where(m, x, np.nan){KEEP})
np.clip(x, <None|-0.5|-0.3 * i>, <0.7|None|i>)
""",
    "x: n k c": """
np.apply_over_axes(np.sum, x, <0|[0, -1]|AXIS>)
np.<sum|prod|mean>(x, axis=0, out=np.zeros(s[1:], x.dtype))
np.<sum|prod|mean>(x, out=np.zeros((), x.dtype))
np.<cumsum|cumprod>(x, axis=AXIS, out=np.zeros(s, x.dtype))
""",
    "x: n k": """
np.<quantile|nanquantile>(x, <0.3|[0.2, 0.9]|np.array([[0.15], [0.62]])|0.0|1.0|[]|2.0><\
|, axis=<None|AXIS|(0, 1)>><|, keepdims=True><|, method=<'linear'|'hazen'|'weibull'|'lower'\
|'higher'|'nearest'|'median_unbiased'|'normal_unbiased'|'inverted_cdf'|'midpoint'\
|'averaged_inverted_cdf'|'closest_observation'|'interpolated_inverted_cdf'>>)
np.<percentile|nanpercentile>(x, <30|[20, 90]|100|101><|, axis=<None|AXIS|(0, 1)>><\
|, keepdims=True><|, method='hazen'>)
""",
    "x: * n, y: n pos": """
np.average(x, <axis=-1, |>weights=<y|np.broadcast_to(y, s)><|, returned=True><|, keepdims=True>)
np.quantile(x, <0.3|[0.2, 0.77]>, axis=-1, weights=y, method='inverted_cdf')
""",
    "x: ? c, y: ? pos": """
np.average(x<|, axis=AXES><|, weights=y><|, returned=True><|, keepdims=True>)
""",
}
EXACT = {
    "x: ?": f"""
np.<max|min|amax|amin>(x{KEEP}<|, initial=<0.3|-9|9.5>><|, where=m>)
np.ptp(x{KEEP})
""",
}
