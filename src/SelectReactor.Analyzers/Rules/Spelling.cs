namespace SelectReactor.Analyzers;

/// <summary>Compares names.</summary>
internal static class Spelling
{
    private const int MinLength = 6;

    /// <summary>Whether a name is that of another with a wrong letter or two, and no word of its own such as OnClose
    /// beside OnClosed.</summary>
    public static bool IsMisspelt(string name, string other)
    {
        string left = name.ToUpperInvariant(), right = other.ToUpperInvariant();
        return name.Length >= MinLength
            && Math.Abs(name.Length - other.Length) <= 2
            && (left == right || !right.StartsWith(left, StringComparison.Ordinal))
            && DistanceOf(left, right) <= 2;
    }

    /// <summary>Whether one name may be a misspelling of another: it differs in a letter or two, or is cut
    /// off.</summary>
    public static bool IsSimilar(string name, string other)
    {
        if (name.Length < MinLength || name.Length > other.Length + 2)
        {
            return false;
        }

        string left = name.ToUpperInvariant(), right = other.ToUpperInvariant();
        int distance = DistanceOf(left, right);
        return distance <= 2
            || right.StartsWith(left, StringComparison.Ordinal)
            || (distance == 3 && left.Length < right.Length
                && right.StartsWith(left.Substring(0, MinLength - 1), StringComparison.Ordinal));
    }

    // Of Levenshtein: letters put in, taken out or changed.
    private static int DistanceOf(string left, string right)
    {
        int[] row = [.. Enumerable.Range(0, right.Length + 1)];
        for (int i = 1; i <= left.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= right.Length; j++)
            {
                int changed = diagonal + (left[i - 1] == right[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(changed, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[right.Length];
    }
}
