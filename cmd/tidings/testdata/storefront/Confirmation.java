import java.io.File;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import javax.servlet.ServletException;
import javax.servlet.http.HttpServlet;
import javax.servlet.http.HttpServletRequest;
import javax.servlet.http.HttpServletResponse;
import org.apache.catalina.Context;
import org.apache.catalina.startup.Tomcat;

/**
 * The page that confirms an order, on the servlet container that the platform has:
 * with what the gateway answered, and without. Prints both pages.
 */
public class Confirmation {

  private static final Map<String, Object> OFFER =
      Map.of(
          "page", "https://notify.example.com/link/T?a=1&b=\"<b>",
          "links", List.of(
              Map.of("channel", "telegram", "url", "https://t.me/my_shop_bot?start=T\"><script>alert(1)</script>"),
              Map.of("channel", "slack", "code", "C", "how", "/link <C>")));

  public static void main(String[] args) throws Exception {
    Tomcat tomcat = new Tomcat();
    tomcat.setBaseDir(args[1]);
    tomcat.setHostname("127.0.0.1");
    tomcat.setPort(0);
    tomcat.setSilent(true);
    Context shop = tomcat.addWebapp("", new File(args[0]).getAbsolutePath());
    Tomcat.addServlet(shop, "checkout", new Checkout());
    shop.addServletMappingDecoded("/checkout", "checkout");
    tomcat.getConnector();
    tomcat.start();
    String at = "http://127.0.0.1:" + tomcat.getConnector().getLocalPort() + "/checkout?gateway=";
    System.out.print(read(at + "answers") + "\f" + read(at + "away"));
    System.exit(0);
  }

  private static String read(String address) throws IOException {
    HttpURLConnection c = (HttpURLConnection) new URL(address).openConnection();
    boolean good = c.getResponseCode() == 200;
    return new String((good ? c.getInputStream() : c.getErrorStream()).readAllBytes(), StandardCharsets.UTF_8).strip();
  }

  /** What the platform's controller does. */
  private static class Checkout extends HttpServlet {
    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response) throws ServletException, IOException {
      if ("answers".equals(request.getParameter("gateway"))) {
        request.setAttribute("orderNews", OFFER);
      }
      request.setAttribute("consent", "I <agree> & more");
      request.getRequestDispatcher("/confirmation.jsp").forward(request, response);
    }
  }
}
