using System.Text;

namespace SelectReactor.Diagnostics;

/// <summary>Names of the code as values of tags.</summary>
internal static class SnakeCase
{
    /// <summary>"PeerClosed" becomes "peer_closed".</summary>
    public static string Of(string name)
    {
        var text = new StringBuilder(name.Length + 4);
        for (int i = 0; i < name.Length; i++)
        {
            if (i > 0 && char.IsUpper(name[i]) && !char.IsUpper(name[i - 1]))
            {
                text.Append('_');
            }

            text.Append(char.ToLowerInvariant(name[i]));
        }

        return text.ToString();
    }
}
