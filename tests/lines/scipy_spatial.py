"""``scipy.spatial.distance``: pairs and single vectors, with weights and parameters."""

METRICS = (
    "<'euclidean'|'sqeuclidean'|'cityblock'|'chebyshev'|'minkowski'|'cosine'|'correlation'"
    "|'canberra'|'braycurtis'|'seuclidean'|'hamming'>"
)
LINES = {
    "x: n 3 full short, y: m 3 full short": f"""
distance.cdist(x, y<|, {METRICS}>)
distance.cdist(x, y, <'minkowski', p=3|'minkowski', p=1.5, w=[1, 2, 3]|'euclidean', w=[1, 2, 3]\
|'cosine', w=[1, 2, 3]>)
distance.cdist(x, y, 'seuclidean', V=[1.0, 2.0, 3.0])
distance.cdist(x, y, 'mahalanobis', VI=np.diag([1.0, 2.0, 3.0]) + 0.1)
distance.cdist(x, y, lambda u, v: np.sum((u - v) ** 2))
""",
    "x: n 3 full double, y: m 3 full double": """
scipy.spatial.distance_matrix(x, y<|, p=<1|2|3|np.inf>>)
scipy.spatial.<minkowski_distance|minkowski_distance_p>(x[:1], y<|, p=<1|2|3|np.inf>>)
""",
    "x: 4 3 full short": f"""
distance.pdist(x<|, {METRICS}>)
distance.pdist(x, <'minkowski', p=3|'cityblock', w=[1, 2, 3]|'seuclidean', V=[1.0, 2.0, 3.0]>)
distance.squareform(x[:, 0][[0, 1, 2]]<|, checks=False>)
distance.squareform(distance.squareform(x[0])<|, force='tovector'>)
""",
    "x: 3 full short, y: 3 full short": """
distance.<euclidean|sqeuclidean|cityblock|chebyshev|cosine|correlation|canberra\
|braycurtis>(x, y<|, w=<[1, 2, 3]|np.ones(3)>>)
distance.correlation(x, y<|, centered=False>)
distance.minkowski(x, y<|, p=<1|2|3.5|np.inf>><|, w=[1, 2, 3]>)
distance.mahalanobis(x, y, np.eye(3) + 0.2)
distance.seuclidean(x, y, [1.0, 2.0, 3.0])
distance.hamming(x, y) * x[0]
""",
    "x: 3 4 pos full double, y: 3 4 pos full double": """
distance.jensenshannon(x, y<|, base=2><|, axis=AXIS><|, keepdims=True>)
""",
}
